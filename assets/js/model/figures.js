// How reports are looked at, as a page tells it: which lines a month has. Numbers are as they are, also small ones.

/**
 * @typedef {{month: string, reports: number, decisions: number, violations: number, median_ms?: number, appeals: number, overturned: number, automatic: number}} Month
 * @typedef {{reports_taken: boolean, months: Month[]}} Figures
 * @typedef {{key: string, count?: number, ms?: number}} Line
 */

/** What is told instead of numbers, or beside them: a key of the catalogue, or null. @param {Figures} figures */
export function stateOf({ reports_taken: taken, months }) {
  if (!taken) return 'figures.off';
  return months.length ? null : 'figures.none';
}

/** The lines of a month. What counts nothing where nothing was decided is left out. @param {Month} month @returns {Line[]} */
export function linesOf(month) {
  const lines = [
    { key: 'figures.reports', count: month.reports },
    { key: 'figures.decisions', count: month.decisions },
    { key: 'figures.violations', count: month.violations },
  ];
  const took = month.median_ms === undefined ? [] : [{ key: 'figures.median', ms: month.median_ms }];
  const appeals = month.appeals ? [{ key: 'figures.appeals', count: month.appeals }, { key: 'figures.overturned', count: month.overturned }] : [];
  return [...lines, ...took, ...appeals, { key: 'figures.automatic', count: month.automatic }];
}
