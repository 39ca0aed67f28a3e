// Which case comes next, and what was put aside. Pure.

/**
 * @typedef {{ id: number, state: string, claim?: { mine: boolean, until_ms: number } | null }} Row
 */

/**
 * The first case of the queue that can be taken: not closed, not another's, not put aside; an escalated one
 * by administrators alone.
 * @template {Row} T
 * @param {T[]} rows in the order of work @param {ReadonlySet<number>} aside @param {string} role @param {number} moment
 * @returns {T | null}
 */
export function nextOf(rows, aside, role, moment) {
  const free = (/** @type {Row} */ { state, claim }) => {
    if (state !== 'open' && !(state === 'escalated' && role === 'administrator')) return false;
    return !claim || claim.mine || claim.until_ms <= moment;
  };
  return rows.find((row) => free(row) && !aside.has(row.id)) ?? null;
}

/**
 * The place that j and k lead to, of so many.
 * @param {number} at -1: nowhere yet @param {number} step @param {number} count
 */
export function moved(at, step, count) {
  if (count === 0) return -1;
  if (at < 0) return step > 0 ? 0 : count - 1;
  return Math.min(count - 1, Math.max(0, at + step));
}
