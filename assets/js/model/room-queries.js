// What follows from the state of a conversation (model/room.js): questions that
// change nothing. Pure.

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./stored-message.js').StoredMessage} StoredMessage */

/** @param {Pick<Room, 'known' | 'lastSeq' | 'targetSeq'>} state */
export const isReplaying = (state) => !state.known || state.lastSeq < state.targetSeq;

/**
 * Over, and why is known: that comes with the last of the log, a moment after the state of the room.
 * @param {Room} state
 */
export const isOver = (state) => !state.active && !(state.ended === null && isReplaying(state));

/**
 * What a reconnect says it has: the newest message of the stream, by its place
 * and its time, so that the server sees whether its log has the same one.
 * @param {Pick<Room, 'messages' | 'lastSeq'>} state
 */
export function resumePoint({ messages, lastSeq }) {
  const last = messages.findLast((message) => message.seq <= lastSeq);
  return { after: last?.seq ?? 0, after_sent_at_ms: last?.at || undefined };
}

/**
 * Whether `kind` was asked for and is still to be confirmed.
 * @param {Pick<Room, 'pendingActions'>} state @param {import('./room.js').PendingAction['kind']} kind
 */
export const isAsked = (state, kind) => state.pendingActions.some((action) => action.kind === kind);

/**
 * Whether the other side can still be blocked.
 * @param {Room} state
 */
export const canBlock = (state) => !state.blocked && !isAsked(state, 'block') && !state.isBot;

/**
 * Whether there is another person on the other side.
 * @param {Room} state
 */
export const canBeReported = (state) => state.known && !state.isBot && !state.sameSession;

/**
 * The index of the message of that id, or -1. An id is its seq, as far as we know: looked for there first.
 * @param {StoredMessage[]} messages @param {string} id
 */
export function indexOf(messages, id) {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle].seq < Number(id)) low = middle + 1;
    else high = middle;
  }
  return messages[low]?.id === id ? low : messages.findLastIndex((message) => message.id === id);
}

/**
 * Whether the conversation has just ended without having begun: the partner never came.
 * @param {Room} before @param {Room} after
 */
export function isNoShow(before, after) {
  return before.known && before.active && !after.active && after.ended?.reason === 'no_show' && after.messages.every((message) => message.mine);
}

/**
 * Whether there is anything to keep.
 * @param {Pick<Room, 'messages' | 'pendingMessages'>} state
 */
export const hasWords = ({ messages, pendingMessages }) => messages.length > 0 || pendingMessages.length > 0;

/** @param {Pick<Room, 'messages'>} state */
export const lastSeqOfPartner = ({ messages }) => messages.findLast((message) => !message.mine)?.seq ?? 0;

/**
 * How many messages of the partner came since.
 * @param {Pick<Room, 'messages'>} before @param {Pick<Room, 'messages'>} after
 */
export function countNew(before, after) {
  const old = before.messages.at(-1)?.seq ?? 0;
  let count = 0;
  for (let at = after.messages.length - 1; at >= 0 && after.messages[at].seq > old; at -= 1) if (!after.messages[at].mine) count += 1;
  return count;
}

/** @param {Pick<Room, 'messages'>} state */
export function minutesTalked(state) {
  if (state.messages.length === 0) return 0;
  const first = state.messages[0].at;
  const last = state.messages[state.messages.length - 1].at;
  return Math.max(1, Math.round((last - first) / 60_000));
}
