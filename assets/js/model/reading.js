// Where the reader was: how far they have read, and where a line says that what
// follows is new. It is frozen when they look away. Pure.

/** @typedef {import('./room.js').Room} Room */

/**
 * @typedef {object} Reading
 * @property {number} seen the place of the newest message that was on the screen
 * @property {boolean} looking whether the reader is at the end, and looks at the page
 * @property {number | null} mark what was read when they looked away: the line stands after it
 */

/** `seen` is what an earlier page of this tab noted; 0: nothing. @param {number} seen @returns {Reading} */
export const newReading = (seen) => ({ seen, looking: false, mark: seen > 0 ? seen : null });

/**
 * The index of the first message that the line stands above, or -1.
 * @param {Reading} reading @param {Pick<Room, 'messages'>} room
 */
export function firstNew({ mark }, { messages }) {
  if (mark === null) return -1;
  let first = -1;
  for (let at = messages.length - 1; at >= 0 && messages[at].seq > mark; at -= 1) if (!messages[at].mine) first = at;
  return first;
}

/**
 * @param {Reading} reading @param {Pick<Room, 'messages' | 'pendingMessages' | 'anew'>} room
 * @param {boolean} looking @returns {Reading}
 */
export function followReading(reading, room, looking) {
  const newest = room.messages.at(-1)?.seq ?? 0;
  // In another log, places of the old one mean nothing.
  const seen = looking ? newest : Math.min(reading.seen, Math.max(newest, 0));
  let { mark } = reading;
  if (reading.looking && !looking) mark = reading.seen;
  // Nothing came meanwhile: what comes now is seen as it comes.
  else if (!reading.looking && looking && firstNew(reading, room) < 0) mark = null;
  if (mark !== null && hasSpoken(room, mark)) mark = null;
  if (seen === reading.seen && looking === reading.looking && mark === reading.mark) return reading;
  return { seen, looking, mark };
}

/** Who answers has read. @param {Pick<Room, 'messages' | 'pendingMessages'>} room @param {number} mark */
function hasSpoken({ messages, pendingMessages }, mark) {
  if (pendingMessages.length > 0) return true;
  for (let at = messages.length - 1; at >= 0 && messages[at].seq > mark; at -= 1) if (messages[at].mine) return true;
  return false;
}
