// What pages and the service worker have in common, named once: pure. What the worker does with a request is in
// worker-shell.js.

/** One notification at a time, the newest, whether a page or the worker shows it. */
export const noticeTag = 'miyu-someone';

/** Where pages leave the words of calls for the worker. */
export const callWordsCache = 'miyu-calls';
export const callWords = '/call-words';

/** Every cache of ours begins so; what else is in the origin is not touched. */
const prefix = 'miyu-shell-';

/**
 * The cache of one version: its files all have an address below `base`.
 * @param {string} base
 */
export const cacheName = (base) => prefix + base.slice(base.lastIndexOf('/') + 1);

/**
 * Which caches go when this version takes over; `base` null: all of ours.
 * @param {readonly string[]} names @param {string | null} base
 */
export const outdated = (names, base) => names.filter((name) => name.startsWith(prefix) && (base === null || name !== cacheName(base)));
