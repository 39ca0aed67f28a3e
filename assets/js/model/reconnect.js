// When a lost socket may be opened again, and how long to wait. Pure.

const firstDelay = 500;
const longestDelay = 20_000;
const never = new Set([1008, 1009, 4000, 4004]);

// 4100 to 4199, also those that are not known yet: do not come back.
export const isFinal = (code) => never.has(code) || (code >= 4100 && code < 4200);

/**
 * Back-off with full jitter: anything between 0 and a doubling ceiling, so
 * that thousands of pages do not come back in the same instant. A server that
 * goes away (1001) always gets a moment.
 */
export function reconnectDelay(attempt, code, random) {
  if (isFinal(code)) return null;
  const ceiling = Math.min(longestDelay, firstDelay * 2 ** Math.min(attempt, 10));
  const least = code === 1001 ? 300 : 0;
  return Math.round(least + random * Math.max(ceiling, code === 1001 ? 3000 : 0));
}

const blockedAfter = 8000;
const failuresOfABlock = 2;

export const newPassage = { heard: false, failures: 0, since: null };

/** An attempt to connect came to nothing. */
export const failedToPass = (passage, now) => ({ ...passage, failures: passage.failures + 1, since: passage.since ?? now });

/** The server has said something: what fails from now on is not the way. */
export const passed = { heard: true, failures: 0, since: null };

/**
 * Whether it is time to look if anything else reaches the server. Where pages
 * do and sockets never did, something on the way does not let sockets through.
 */
export function looksBlocked({ heard, failures, since }, now) {
  return !heard && failures >= failuresOfABlock && now - since >= blockedAfter;
}
