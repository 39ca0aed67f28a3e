// What two people changed at once, put together: of each part what was changed by one of them, and where
// both changed the same, one's own words. Pure.

/** @param {any} value */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
/** @param {any} one @param {any} other */
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * @param {any} base what both began with
 * @param {any} theirs @param {any} mine
 * @returns {any}
 */
export function merge(base, theirs, mine) {
  if (same(mine, base)) return theirs;
  if (same(theirs, base)) return mine;
  if (![base, theirs, mine].every(isObject)) return mine;
  const names = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const parts = [...names].map((name) => [name, merge(base[name], theirs[name], mine[name])]);
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
}

/**
 * The same of templates, which are known by their ids; in the order of theirs.
 * @param {any[]} base @param {any[]} theirs @param {any[]} mine
 */
export function mergeTemplates(base, theirs, mine) {
  const byId = (/** @type {any[]} */ all) => Object.fromEntries(all.map((it) => [it.id, it]));
  const merged = merge(byId(base), byId(theirs), byId(mine));
  const order = [...new Set([...theirs, ...mine].map((it) => it.id))];
  return structuredClone(order.map((id) => merged[id]).filter(Boolean));
}
