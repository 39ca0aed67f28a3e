// When a lost socket may be opened again, and how long to wait: by its close
// code (docs/PROTOCOL.md, "Close codes"), and by how often it has failed. Pure.

const firstDelay = 500;
const longestDelay = 20_000;
// What a server that goes away is given: its restart, and all its pages at once.
const restart = { least: 300, spread: 3000 };
const later = { least: 30_000, spread: 30_000 };

// Codes whose meaning is known, and not what their range says.
const finalCodes = new Set([1008, 1009, 4000, 4004]);
// Only this connection was lost: 1005 and 1006 are what a browser says of one that broke, 4001 and
// 4002 of one that was too slow or silent.
const brokenCodes = new Set([1000, 1005, 1006, 4001, 4002]);

/**
 * What a close code asks of a client: to stay away, to come back later, to come back soon as after a
 * restart of the server, or to come back at once, for only the connection broke. A code that is not
 * known is judged by its range, so that a server may have new ones.
 * @param {number} code
 * @returns {'never' | 'later' | 'soon' | 'now'}
 */
export function comeBack(code) {
  if (finalCodes.has(code) || (code >= 4100 && code < 4200)) return 'never';
  if (code >= 4200 && code < 4300) return 'later';
  return brokenCodes.has(code) ? 'now' : 'soon';
}

/**
 * Back-off with full jitter: anything between 0 and a doubling ceiling, so
 * that thousands of pages do not come back in the same instant. A server that
 * goes away always gets a moment, one that says "later" more than that.
 * Null: never.
 * @param {number} attempt @param {number} code @param {number} random
 */
export function reconnectDelay(attempt, code, random) {
  const when = comeBack(code);
  if (when === 'never') return null;
  const { least, spread } = when === 'later' ? later : when === 'soon' ? restart : { least: 0, spread: 0 };
  const ceiling = Math.min(longestDelay, firstDelay * 2 ** Math.min(attempt, 10));
  return Math.round(least + random * Math.max(ceiling, spread));
}

/**
 * Whether sockets reach the server at all.
 * @typedef {object} Reachability
 * @property {boolean} heard the server has said something
 * @property {number} failures how many attempts came to nothing since
 * @property {number | null} since when they began
 */

const blockedAfter = 8000;
const failuresOfABlock = 2;

/** @type {Reachability} */
export const unknownReachability = { heard: false, failures: 0, since: null };

/**
 * The server has said something: what fails from now on is not the way to it.
 * @type {Reachability}
 */
export const reached = { heard: true, failures: 0, since: null };

/**
 * An attempt to connect came to nothing.
 * @param {Reachability} reachability @param {number} now @returns {Reachability}
 */
export const noteFailure = (reachability, now) => ({ ...reachability, failures: reachability.failures + 1, since: reachability.since ?? now });

/**
 * How long the next attempt may be put off at most, so that a block is found as soon as it can be and
 * not when a long pause happens to end. Null: as long as may be.
 * @param {Reachability} reachability @param {number} now
 */
export function longestPause({ heard, since }, now) {
  if (heard || since === null || now - since >= blockedAfter) return null;
  return since + blockedAfter - now;
}

/**
 * Whether it is time to look if anything else reaches the server. Where pages
 * do and sockets never did, a proxy on the way does not let sockets through.
 * @param {Reachability} reachability @param {number} now
 */
export function looksBlocked({ heard, failures, since }, now) {
  return !heard && failures >= failuresOfABlock && since !== null && now - since >= blockedAfter;
}
