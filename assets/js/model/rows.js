// From a range of a conversation to the rows of its log: day lines, messages,
// who starts and ends a run, and the state word of each of my messages. Pure.

import { dayOf } from '../lib/time.js';
import { reactionsAt } from './reactions.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./room.js').PendingMessage} PendingMessage */
/** @typedef {import('./stored-message.js').StoredMessage} StoredMessage */
/** @typedef {import('./room.js').PendingAction} PendingAction */
/** @typedef {Pick<Room, 'messages' | 'pendingMessages' | 'pendingActions' | 'partnerRead'>} Log */

/**
 * @typedef {object} Item
 * @property {string} key
 * @property {StoredMessage | PendingMessage} source
 * @property {boolean} mine
 * @property {number} at
 * @property {number} day
 * @property {boolean} recalled
 * @property {import('./reactions.js').Reactions} reactions
 * @property {'recalled' | 'read' | 'sent' | 'failed' | 'pending'} state
 */

/** @typedef {Item & { kind: 'message', first: boolean, last: boolean, newest: boolean }} MessageRow */
/** @typedef {MessageRow | { kind: 'day' | 'new', key: string, at: number }} Row */

const runLength = 120_000;

/**
 * A key that stays the same when a pending message becomes a sent one.
 * @param {StoredMessage} message
 */
const keyOf = (message) => (message.mine && message.clientId ? `c:${message.clientId}` : `s:${message.seq}`);

/**
 * The rows of the messages from `from` to before `to`: the same, whatever else is
 * asked for. With the newest comes what is still on its way. Above the message `newFrom`
 * a line says that the reader has not seen it.
 * @param {Log} state @returns {Row[]}
 */
export function logRows(state, { from = 0, to = Infinity, newFrom = -1 } = {}) {
  const { messages, pendingMessages } = state;
  const length = messages.length + pendingMessages.length;
  const end = to >= messages.length ? length : to;
  const wishes = wishesOf(state.pendingActions);
  const item = (/** @type {number} */ at) => (at < messages.length ? sentItem(messages[at], state.partnerRead, wishes.get(messages[at].id)) : pendingItem(pendingMessages[at - messages.length]));
  const newest = newestOfMine(state);
  /** @type {Row[]} */
  const rows = [];
  let before = from > 0 ? item(from - 1) : null;
  /** @type {MessageRow | null} */
  let row = null;
  for (let at = from; at < end; at += 1) {
    const own = item(at);
    if (startsDay(before, own)) rows.push({ kind: 'day', key: `d:${own.key}`, at: own.at });
    if (at === newFrom) rows.push({ kind: 'new', key: 'new', at: 0 });
    const first = at === newFrom || startsRun(before, own);
    if (row) row.last = first;
    row = { kind: 'message', first, last: true, newest: own.source === newest, ...own };
    rows.push(row);
    before = own;
  }
  if (row && end < length) row.last = end === newFrom || startsRun(before, item(end));
  return rows;
}

/** @param {Item | null} before @param {Item} item */
const startsDay = (before, item) => before?.day !== item.day;

/** @param {Item | null} before @param {Item} item */
function startsRun(before, item) {
  return !before || startsDay(before, item) || before.mine !== item.mine || item.at - before.at > runLength || before.recalled !== item.recalled;
}

/**
 * What is wanted of messages by their ids.
 * @param {PendingAction[]} pendingActions
 */
const wishesOf = (pendingActions) => new Map(pendingActions.filter(({ kind }) => kind === 'react').map((action) => [action.id, action]));

const noReactions = { mine: null, theirs: null, waiting: false };

/** @param {StoredMessage} message @param {number} partnerRead @param {PendingAction} [wish] @returns {Item} */
function sentItem(message, partnerRead, wish) {
  return {
    key: keyOf(message),
    source: message,
    mine: message.mine,
    at: message.at,
    day: dayOf(message.at),
    recalled: message.recalled,
    reactions: message.recalled ? noReactions : reactionsAt(message, wish),
    state: message.recalled ? 'recalled' : message.mine && message.seq <= partnerRead ? 'read' : 'sent',
  };
}

/** @param {PendingMessage} message @returns {Item} */
function pendingItem(message) {
  const at = message.at ?? 0;
  return {
    key: `c:${message.clientId}`,
    source: message,
    mine: true,
    at,
    day: dayOf(at),
    recalled: false,
    reactions: noReactions,
    state: message.failed ? 'failed' : 'pending',
  };
}

/**
 * The newest of my messages says its state in a word, not only in a shape.
 * @param {Log} state
 */
const newestOfMine = ({ messages, pendingMessages }) => pendingMessages.at(-1) ?? messages.findLast((message) => message.mine);

/**
 * Whether two rows of one key look the same, so that nothing has to change.
 * @param {Row} a @param {Row} b
 */
export function sameRow(a, b) {
  if (a.kind !== 'message' || b.kind !== 'message') return a.kind === b.kind && a.at === b.at;
  return (
    a.source === b.source && a.at === b.at && a.first === b.first && a.last === b.last && a.state === b.state && a.newest === b.newest &&
    a.reactions.mine === b.reactions.mine && a.reactions.waiting === b.reactions.waiting
  );
}
