// The five reactions, and what they come to at one message: what is stored, and
// what this person wants that is not confirmed yet. `draft` is the conversation
// that model/room.js is folding. Pure.

import { indexOf } from './room-queries.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./room.js').Frame} Frame */
/** @typedef {import('./stored-message.js').StoredMessage} StoredMessage */
/** @typedef {import('./room.js').PendingAction} PendingAction */
/** @typedef {{ mine: string | null, theirs: string | null, waiting: boolean }} Reactions */

/**
 * As they are offered; the heart also by a double tap.
 * @type {Record<string, string>}
 */
export const signs = { heart: '❤️', laugh: '😂', wow: '😮', sad: '😢', ok: '👍' };

/** @param {unknown} word @returns {string | null} */
export const knownReaction = (word) => (typeof word === 'string' && word in signs ? word : null);

/**
 * What is wanted of the message of that id and not confirmed, if anything.
 * @param {PendingAction[]} pendingActions @param {string} id
 */
export const wishFor = (pendingActions, id) => pendingActions.find((action) => action.kind === 'react' && action.id === id);

/**
 * What is shown at a message: one's own wish at once.
 * @param {Pick<StoredMessage, 'myReaction' | 'theirReaction'>} message @param {PendingAction} [wish] @returns {Reactions}
 */
export function reactionsAt({ myReaction, theirReaction }, wish) {
  return { mine: wish ? (wish.reaction ?? null) : myReaction, theirs: theirReaction, waiting: Boolean(wish) };
}

/**
 * The wish that follows from choosing `reaction` where `mine` is shown: the same again takes it back.
 * @param {string | null} mine @param {string} reaction
 */
export const chosen = (mine, reaction) => (mine === reaction ? null : reaction);

/**
 * The server says how a side reacts to a message.
 * @param {Room} draft @param {Frame} event
 */
export function takeReaction(draft, event) {
  const id = String(event.message_id);
  const reaction = knownReaction(event.reaction);
  const mine = event.user_id === draft.me;
  // What is replayed is older than the wish: the answer to it comes after the history, or outside of it.
  if (mine && (event.repeat || event.seq > draft.targetSeq)) confirmWish(draft, id, reaction);
  if (!mine) draft.reactedTo = [...draft.reactedTo, id];
  const at = indexOf(draft.messages, id);
  const message = draft.messages[at];
  if (!message || message.recalled) return;
  draft.messages[at] = { ...message, ...(mine ? { myReaction: reaction } : { theirReaction: reaction }) };
}

/**
 * The server has this reaction of ours now. Should another one be wanted by now, that wish goes on.
 * @param {Room} draft @param {string} id @param {string | null} reaction
 */
function confirmWish(draft, id, reaction) {
  if ((wishFor(draft.pendingActions, id)?.reaction ?? null) === reaction) dropWish(draft, id);
}

/** @param {Room} draft @param {string} [id] */
export function dropWish(draft, id) {
  draft.pendingActions = draft.pendingActions.filter((action) => action.kind !== 'react' || action.id !== id);
}

/**
 * A message that is told once more says nothing of the reactions to it.
 * @param {StoredMessage} before @param {StoredMessage} message @returns {StoredMessage}
 */
export function withReactionsOf(before, message) {
  return message.recalled ? message : { ...message, myReaction: before.myReaction, theirReaction: before.theirReaction };
}
