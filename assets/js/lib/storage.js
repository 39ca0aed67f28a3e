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
        const text = real()?.getItem(prefix + key) ?? memory.get(key) ?? null;
        return text === null ? fallback : JSON.parse(text);
      } catch {
        return fallback;
      }
    },
    set(key, value) {
      const text = JSON.stringify(value);
      try {
        real().setItem(prefix + key, text);
      } catch {
        memory.set(key, text);
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
