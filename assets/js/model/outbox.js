// What may be sent to the server of a room, and when. Messages leave in their
// order only; pending actions are sent again until they are confirmed. What is
// outstanding is in model/room.js; here is what is true of the present connection. Pure.

import { wellFormed } from './well-formed.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./room.js').Frame} Frame */
/** @typedef {import('./room.js').PendingMessage} PendingMessage */
/** @typedef {import('./room.js').PendingAction} PendingAction */
/** @typedef {PendingMessage | PendingAction} Item */
/** @typedef {Pick<Room, 'pendingMessages' | 'pendingActions'>} Outstanding */

/**
 * @typedef {object} Outbox
 * @property {boolean} synced this connection has had its room_state
 * @property {boolean} open the room was, at the last word of it
 * @property {boolean} backingOff the store did not answer: nothing is sent for a while
 * @property {number} backoffs how many in a row
 * @property {Map<string, number>} sentAt by the key of an item, of what was sent on this connection
 * @property {number} lastAnswerAt the last answer, or the opening of the connection
 * @property {number} silentReconnects since the last answer
 */

const ackPatience = 12_000;
const longestPatience = 600_000;
const firstBackoff = 1000;
const longestBackoff = 20_000;
// In `sentAt`, instead of a time.
const ANSWERED = Infinity;

/** @returns {Outbox} */
export function newOutbox(now = 0) {
  return { synced: false, open: true, backingOff: false, backoffs: 0, sentAt: new Map(), lastAnswerAt: now, silentReconnects: 0 };
}

/**
 * A connection was opened or lost: nothing has been sent on it.
 * @param {Outbox} outbox @param {number} now @returns {Outbox}
 */
export const resetConnection = (outbox, now) => ({ ...outbox, synced: false, backingOff: false, sentAt: new Map(), lastAnswerAt: now });

/**
 * The pause after `unavailable` is over: everything outstanding is sent again.
 * @param {Outbox} outbox @returns {Outbox}
 */
export const endBackoff = (outbox) => ({ ...outbox, backingOff: false });

/** @param {Outbox} outbox @param {Item} item @param {number} now @returns {Outbox} */
export function markSent(outbox, item, now) {
  // What was answered long ago is no longer outstanding and need not be remembered.
  const before = [...outbox.sentAt];
  const kept = before.length > 100 ? before.filter(([, at]) => at !== ANSWERED) : before;
  return { ...outbox, sentAt: new Map(kept).set(keyOf(item), now) };
}

/** @param {Outbox} outbox @param {number} now @returns {Outbox} */
export const noteSilentReconnect = (outbox, now) => ({ ...outbox, silentReconnects: outbox.silentReconnects + 1, lastAnswerAt: now });

/** @param {Outbox} outbox @param {Frame} frame @param {number} now @returns {Outbox} */
export function receive(outbox, frame, now) {
  switch (frame.action) {
    case 'room_state':
      return { ...outbox, synced: true, open: frame.active !== false, backingOff: false, sentAt: new Map(), lastAnswerAt: now };
    case 'user_left':
      return acknowledge({ ...outbox, open: false }, 'leave', now);
    case 'new_message':
      return acknowledge(outbox, `message:${frame.message?.client_id}`, now);
    case 'message_recalled':
      return acknowledge(outbox, `recall:${frame.message_id}`, now);
    case 'message_deleted':
      return acknowledge(outbox, `delete:${frame.message_id}`, now);
    case 'reaction':
      // What is wanted by now may be another one, and is sent again then.
      return acknowledge(outbox, `react:${frame.message_id}`, now, true);
    case 'blocked':
      return acknowledge(outbox, 'block', now);
    case 'error':
      if (frame.code !== 'unavailable') return acknowledge(outbox, frame.message_id === undefined ? `message:${frame.client_id}` : `react:${frame.message_id}`, now, true);
      // Several in a row are one trouble, not many.
      if (outbox.backingOff) return outbox;
      return { ...outbox, backingOff: true, backoffs: outbox.backoffs + 1, sentAt: new Map(), lastAnswerAt: now };
    default:
      return outbox;
  }
}

/**
 * The answer is folded into the room a moment later: until then it counts as sent.
 * @param {Outbox} outbox @param {string} key @param {number} now @returns {Outbox}
 */
function acknowledge(outbox, key, now, refused = false) {
  if (!outbox.sentAt.has(key)) return outbox;
  const sentAt = new Map(outbox.sentAt);
  if (refused) sentAt.delete(key);
  else sentAt.set(key, ANSWERED);
  return { ...outbox, sentAt, backoffs: 0, silentReconnects: 0, lastAnswerAt: now };
}

/**
 * What has to be sent now, in the order in which it has to be sent.
 * @param {Outbox} outbox @param {Outstanding} room
 */
export function sendable(outbox, room) {
  if (!outbox.synced || outbox.backingOff) return [];
  return outstanding(outbox, room).filter((item) => !outbox.sentAt.has(keyOf(item)));
}

/**
 * A block goes before what was written, leaving after it.
 * @param {Outbox} outbox @param {Outstanding} room @returns {Item[]}
 */
function outstanding(outbox, { pendingActions, pendingMessages }) {
  const leaving = pendingActions.filter(({ kind }) => kind === 'leave');
  const other = pendingActions.filter(({ kind }) => kind !== 'leave');
  return outbox.open ? [...other, ...pendingMessages.filter((item) => !item.failed), ...leaving] : other;
}

/**
 * How long to pause; `random` spreads the pages of a server over time.
 * @param {Pick<Outbox, 'backoffs'>} outbox @param {number} random
 */
export function backoffDelay({ backoffs }, random) {
  const delay = Math.min(longestBackoff, firstBackoff * 2 ** Math.max(0, backoffs - 1));
  return delay / 2 + (random * delay) / 2;
}

/**
 * Whether the open connection looks dead: something was sent, or it was opened, and nothing came.
 * @param {Outbox} outbox @param {Outstanding} room @param {number} now
 */
export function looksDead(outbox, room, now) {
  const patience = Math.min(longestPatience, ackPatience * 2 ** Math.min(outbox.silentReconnects, 10));
  if (!outbox.synced) return now - outbox.lastAnswerAt > patience;
  const since = outstanding(outbox, room)
    .map((item) => outbox.sentAt.get(keyOf(item)) ?? ANSWERED)
    .filter((at) => at !== ANSWERED);
  return since.length > 0 && now - Math.max(outbox.lastAnswerAt, Math.min(...since)) > patience;
}

/** @param {Item} item @returns {item is PendingAction} */
const isAction = (item) => 'kind' in item;

/** @param {Item} item */
const keyOf = (item) => (isAction(item) ? actionKey(item) : `message:${item.clientId}`);

/**
 * What was sent long ago on this connection and is not answered. Leaving and a block are sent until they are.
 * @param {Outbox} outbox @param {Outstanding} room @param {number} now
 */
export function overdue(outbox, room, now) {
  if (!outbox.synced || outbox.backingOff) return [];
  const isLate = (/** @type {Item} */ item) => now - (outbox.sentAt.get(keyOf(item)) ?? ANSWERED) > ackPatience;
  return outstanding(outbox, room).filter((item) => !(isAction(item) && ['block', 'leave'].includes(item.kind)) && isLate(item));
}

/**
 * Whether something was answered that was sent later. The server takes them in their order, sometimes slowly.
 * @param {Outbox} outbox @param {Item} item
 */
function wasOvertaken(outbox, item) {
  const keys = [...outbox.sentAt.keys()];
  return keys.slice(keys.indexOf(keyOf(item)) + 1).some((key) => outbox.sentAt.get(key) === ANSWERED);
}

/**
 * What is not answered for a reason of its own, and not because the connection
 * is dead or slow: others were sent later and are answered, or this is its
 * second connection.
 * @param {Outbox} outbox @param {Outstanding} room @param {number} now
 */
export function unanswered(outbox, room, now) {
  const isLast = looksDead(outbox, room, now);
  return overdue(outbox, room, now).filter((item) => wasOvertaken(outbox, item) || (isLast && (item.unanswered ?? 0) > 0));
}

/**
 * These may be sent once more, though they were sent on this connection.
 * @param {Outbox} outbox @param {Item[]} items @returns {Outbox}
 */
export function allowResend(outbox, items) {
  const sentAt = new Map(outbox.sentAt);
  for (const item of items) sentAt.delete(keyOf(item));
  return { ...outbox, sentAt };
}

/**
 * How events refer to an item.
 * @param {Item} item @returns {{ actionKey?: string, clientId?: string }}
 */
export const referenceTo = (item) => (isAction(item) ? { actionKey: actionKey(item) } : { clientId: item.clientId });

/** @param {Pick<PendingAction, 'kind' | 'id'>} action */
export const actionKey = ({ kind, id }) => (id === undefined ? kind : `${kind}:${id}`);

/** @param {Item} item @returns {Frame} */
export function toFrame(item) {
  if (!isAction(item)) {
    return { action: 'send_message', message: { content: wellFormed(item.content), replied_to: item.reply?.id ?? null, client_id: item.clientId } };
  }
  switch (item.kind) {
    case 'block':
      return { action: 'block' };
    case 'leave':
      return { action: 'find_next' };
    case 'recall':
      // The message's own name, so that a refusal says which recall it means.
      return { action: 'recall_message', message_id: item.id, client_id: item.clientId ?? undefined };
    case 'delete':
      return { action: 'delete_message', message_id: item.id };
    case 'react':
      return { action: 'react', message_id: item.id, reaction: item.reaction ?? null };
  }
}
