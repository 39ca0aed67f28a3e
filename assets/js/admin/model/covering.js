// Which texts of a case are covered until they are asked for. Pure.

const covering = new Set(['minor', 'sexual']);

/**
 * @typedef {object} Case as far as it matters here
 * @property {string} reason
 *
 * @typedef {object} Cover what was uncovered so far
 * @property {boolean} all
 * @property {ReadonlySet<string>} one
 */

/** @type {Cover} */
export const covered = { all: false, one: new Set() };

/**
 * Whether texts of this case are covered at first: for any of its reports, not the worst alone.
 * @param {Case} row @param {Case[]} reports
 */
export const coversTexts = (row, reports) => [row, ...reports].some(({ reason }) => covering.has(reason));

/**
 * Whether that text is covered now; `key` names it.
 * @param {boolean} covers @param {Cover} cover @param {string} key
 */
export const isCovered = (covers, cover, key) => covers && !cover.all && !cover.one.has(key);

/** @param {Cover} cover @param {string} key @returns {Cover} */
export const uncover = (cover, key) => ({ ...cover, one: new Set([...cover.one, key]) });

/** @param {Cover} cover @returns {Cover} */
export const turnAll = (cover) => ({ all: !cover.all, one: new Set() });
