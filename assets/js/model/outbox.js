// What may be said to the server of a room, and when. Messages leave in their
// order only; deeds are said again until they are confirmed. What is owed is in
// model/room.js; here is what is true of the present connection. Pure.

import { wellFormed } from './text.js';

const ackPatience = 12_000;
const longestPatience = 600_000;
const restFirst = 1000;
const restLongest = 20_000;
const answeredAlready = Infinity; // instead of the time when it was said

export function newOutbox(now = 0) {
  return {
    stated: false, // this connection has had its room_state
    open: true, // the room was, when we last heard of it
    resting: false, // the store did not answer: nothing is said for a while
    rests: 0,
    said: new Map(), // key -> when, of what was said on this connection
    heardAt: now, // the last answer, or the opening of the connection
    doubts: 0, // reconnects without any answer since
  };
}

/** A connection was opened or lost: nothing has been said on it. */
export const startOver = (outbox, now) => ({ ...outbox, stated: false, resting: false, said: new Map(), heardAt: now });

/** The rest after `unavailable` is over: everything owed is said again. */
export const rested = (outbox) => ({ ...outbox, resting: false });

export function said(outbox, item, now) {
  // What was answered long ago is no longer owed and need not be remembered.
  const before = [...outbox.said];
  const kept = before.length > 100 ? before.filter(([, at]) => at !== answeredAlready) : before;
  return { ...outbox, said: new Map(kept).set(keyOf(item), now) };
}

export const doubted = (outbox, now) => ({ ...outbox, doubts: outbox.doubts + 1, heardAt: now });

export function hear(outbox, frame, now) {
  switch (frame.action) {
    case 'room_state':
      return { ...outbox, stated: true, open: frame.active !== false, resting: false, said: new Map(), heardAt: now };
    case 'user_left':
      return answered({ ...outbox, open: false }, 'leave', now);
    case 'new_message':
      return answered(outbox, `message:${frame.message?.client_id}`, now);
    case 'message_recalled':
      return answered(outbox, `recall:${frame.message_id}`, now);
    case 'message_deleted':
      return answered(outbox, `delete:${frame.message_id}`, now);
    case 'blocked':
      return answered(outbox, 'block', now);
    case 'error':
      if (frame.code !== 'unavailable') return answered(outbox, `message:${frame.client_id}`, now, true);
      // Several in a row are one trouble, not many.
      return outbox.resting ? outbox : { ...outbox, resting: true, rests: outbox.rests + 1, said: new Map(), heardAt: now };
    default:
      return outbox;
  }
}

/** The answer is folded into the room a moment later: until then it counts as said. */
function answered(outbox, key, now, refused = false) {
  if (!outbox.said.has(key)) return outbox;
  const next = new Map(outbox.said);
  if (refused) next.delete(key);
  else next.set(key, answeredAlready);
  return { ...outbox, said: next, rests: 0, doubts: 0, heardAt: now };
}

/** What has to be said now, in the order in which it has to be said. */
export function due(outbox, room) {
  if (!outbox.stated || outbox.resting) return [];
  return owed(outbox, room).filter((item) => !outbox.said.has(keyOf(item)));
}

/** A block goes before what was written, a plain farewell after it. */
function owed(outbox, { deeds, pending }) {
  const leaving = deeds.filter((deed) => deed.kind === 'leave');
  const other = deeds.filter((deed) => deed.kind !== 'leave');
  return outbox.open ? [...other, ...pending.filter((item) => !item.failed), ...leaving] : other;
}

/** How long to rest; `random` spreads the pages of a server over time. */
export function restDelay({ rests }, random) {
  const delay = Math.min(restLongest, restFirst * 2 ** Math.max(0, rests - 1));
  return delay / 2 + (random * delay) / 2;
}

/** Whether the open connection looks dead: something was said, or it was opened, and nothing came. */
export function looksDead(outbox, room, now) {
  const patience = Math.min(longestPatience, ackPatience * 2 ** Math.min(outbox.doubts, 10));
  if (!outbox.stated) return now - outbox.heardAt > patience;
  const since = owed(outbox, room)
    .map((item) => outbox.said.get(keyOf(item)))
    .filter((at) => at !== undefined && at !== answeredAlready);
  return since.length > 0 && now - Math.max(outbox.heardAt, Math.min(...since)) > patience;
}

const keyOf = (item) => (item.kind ? deedKey(item) : `message:${item.clientId}`);

/** What was said long ago on this connection and is not answered. A farewell and a block are said until they are. */
export function overdue(outbox, room, now) {
  if (!outbox.stated || outbox.resting) return [];
  const isLate = (at) => at !== undefined && at !== answeredAlready && now - at > ackPatience;
  return owed(outbox, room).filter((item) => !['block', 'leave'].includes(item.kind) && isLate(outbox.said.get(keyOf(item))));
}

/** Whether something was answered that was said later. The server takes them in their order, sometimes slowly. */
function wasPassedOver(outbox, item) {
  const keys = [...outbox.said.keys()];
  return keys.slice(keys.indexOf(keyOf(item)) + 1).some((key) => outbox.said.get(key) === answeredAlready);
}

/**
 * What is not answered for a reason of its own, and not because the connection
 * is dead or slow: others were said later and are answered, or this is its
 * second connection.
 */
export function unanswered(outbox, room, now) {
  const isLast = looksDead(outbox, room, now);
  return overdue(outbox, room, now).filter((item) => wasPassedOver(outbox, item) || (isLast && item.unanswered > 0));
}

/** Says these once more, though they were said on this connection. */
export function unsay(outbox, items) {
  const left = new Map(outbox.said);
  for (const item of items) left.delete(keyOf(item));
  return { ...outbox, said: left };
}

/** What an item is called, in events about it. */
export const nameOf = (item) => (item.kind ? { deed: deedKey(item) } : { clientId: item.clientId });

export const deedKey = ({ kind, id }) => (id === undefined ? kind : `${kind}:${id}`);

export function frameOf(item) {
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
    default:
      return { action: 'send_message', message: { content: wellFormed(item.content), replied_to: item.reply?.id ?? null, client_id: item.clientId } };
  }
}
