// Which range of a conversation the log holds as elements. All of a long one
// would make each new message dearer than the one before; so there are the
// newest, or what is being read with what is around it. Pure.
//
// A range goes from the message at the index `from` to before the one at `to`;
// `to` is Infinity while it goes with the newest.

/** @typedef {{ from: number, to: number }} Range */

const page = 120; // what is held soon: several screens
const screen = 30; // what is held at first, so that it can be painted, and by how much it then grows
const step = 100; // what is added where an edge comes near
const most = 600; // what is held at most, however far the reader scrolls

/** @param {number} length @returns {Range} */
export const newest = (length) => ({ from: Math.max(0, length - page), to: Infinity });

/**
 * Of a long conversation no more than a screen.
 * @param {number} length @returns {Range}
 */
export const beginning = (length) => (length > page ? { from: length - screen, to: Infinity } : newest(length));

/**
 * The next step from there to several screens; the same range where that has been reached.
 * @param {Range} range @param {number} length @returns {Range}
 */
export function fuller(range, length) {
  const from = Math.max(newest(length).from, range.from - screen);
  return goesWithNewest(range) && from < range.from ? { from, to: Infinity } : range;
}

/** @param {number} length */
export const oldest = (length) => within({ from: 0, to: page }, length);

/** @param {number} at @param {number} length */
export const around = (at, length) => within({ from: at - page / 2, to: at + page / 2 }, length);

/** @param {Range} range */
export const goesWithNewest = ({ to }) => to === Infinity;

/** @param {Range} range @param {number} at */
export const holds = ({ from, to }, at) => at >= from && at < to;

/**
 * More of what was said before; at the other end the surplus is let go.
 * @param {Range} range @param {number} length
 */
export function older(range, length) {
  const from = Math.max(0, range.from - step);
  return within({ from, to: Math.min(range.to, from + most) }, length);
}

/**
 * More of what was said after.
 * @param {Range} range @param {number} length
 */
export function newer(range, length) {
  const to = Math.min(length, range.to + step);
  return within({ from: Math.max(range.from, to - most), to }, length);
}

/**
 * For a reader at the newest: what is long past is let go, many at once, so that it is rare.
 * @param {Range} range @param {number} length
 */
export function withoutPast(range, length) {
  const tooLong = goesWithNewest(range) && length - range.from > 3 * page;
  return tooLong ? { from: length - 2 * page, to: Infinity } : range;
}

/**
 * For a reader further up: what comes now is left for later when enough is held.
 * @param {Range} range @param {number} length
 */
export function withoutFuture(range, length) {
  const tooLong = goesWithNewest(range) && length - range.from > most;
  return tooLong ? { from: range.from, to: range.from + most } : range;
}

/** @param {Range} range @param {number} length @returns {Range} */
const within = ({ from, to }, length) => ({ from: Math.max(0, from), to: to >= length ? Infinity : to });
