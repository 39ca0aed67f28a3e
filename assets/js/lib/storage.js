// Guarded access to localStorage (settings, shared by all tabs) and
// sessionStorage (this tab only). A browser that refuses storage gets memory.

const prefix = 'miyu.';

function area(pick) {
  const memory = new Map();
  const real = () => {
    try {
      return pick();
    } catch {
      return null;
    }
  };
  return {
    get(key, fallback = null) {
      try {
        // In memory is what the browser would not take: it is newer.
        const text = memory.get(key) ?? real()?.getItem(prefix + key) ?? null;
        return text === null ? fallback : JSON.parse(text);
      } catch {
        return fallback;
      }
    },
    set(key, value) {
      const text = JSON.stringify(value);
      try {
        real().setItem(prefix + key, text);
        memory.delete(key);
      } catch {
        memory.set(key, text);
      }
    },
    /** Whether the browser keeps anything at all: in memory it is gone with the page. */
    keeps() {
      try {
        real().setItem(`${prefix}keeps`, '1');
        real().removeItem(`${prefix}keeps`);
        return true;
      } catch {
        return false;
      }
    },
    /** Takes away all that these pages ever put there. */
    clear() {
      memory.clear();
      try {
        const keys = Object.keys(real()).filter((key) => key.startsWith(prefix));
        for (const key of keys) real().removeItem(key);
      } catch {
        // Nothing was stored there, so nothing has to go.
      }
    },
    remove(key) {
      memory.delete(key);
      try {
        real().removeItem(prefix + key);
      } catch {
        // Nothing was stored there, so nothing has to go.
      }
    },
  };
}

export const local = area(() => globalThis.localStorage);
export const tab = area(() => globalThis.sessionStorage);
