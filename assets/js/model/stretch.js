// Which stretch of a conversation the log holds as elements. All of a long one
// would make each new message dearer than the one before; so there are the
// newest, or what is being read with what is around it. Pure.
//
// A stretch goes from the message at the index `from` to before the one at `to`;
// `to` is Infinity while it goes with the newest.

const page = 120; // what is held at first: several screens
const step = 100; // what is added where an edge comes near
const most = 600; // what is held at most, however far the reader scrolls

export const newest = (length) => ({ from: Math.max(0, length - page), to: Infinity });

export const oldest = (length) => within({ from: 0, to: page }, length);

export const around = (at, length) => within({ from: at - page / 2, to: at + page / 2 }, length);

export const goesWithNewest = ({ to }) => to === Infinity;

export const holds = ({ from, to }, at) => at >= from && at < to;

/** More of what was said before; at the other end the surplus is let go. */
export function older(stretch, length) {
  const from = Math.max(0, stretch.from - step);
  return within({ from, to: Math.min(stretch.to, from + most) }, length);
}

/** More of what was said after. */
export function newer(stretch, length) {
  const to = Math.min(length, stretch.to + step);
  return within({ from: Math.max(stretch.from, to - most), to }, length);
}

/** For a reader at the newest: what is long past is let go, many at once, so that it is rare. */
export function withoutPast(stretch, length) {
  const tooLong = goesWithNewest(stretch) && length - stretch.from > 3 * page;
  return tooLong ? { from: length - 2 * page, to: Infinity } : stretch;
}

/** For a reader further up: what comes now is left for later when enough is held. */
export function withoutFuture(stretch, length) {
  const tooLong = goesWithNewest(stretch) && length - stretch.from > most;
  return tooLong ? { from: stretch.from, to: stretch.from + most } : stretch;
}

const within = ({ from, to }, length) => ({ from: Math.max(0, from), to: to >= length ? Infinity : to });
