// From a stretch of a conversation to the rows of its log: day lines, messages,
// who starts and ends a run, and the state word of each of my messages. Pure.

import { dayOf } from '../lib/time.js';

const runLength = 120_000;

/** A key that stays the same when a pending message becomes a sent one. */
const keyOf = (message) => (message.mine && message.clientId ? `c:${message.clientId}` : `s:${message.seq}`);

/**
 * The rows of the messages from `from` to before `to`: the same, whatever else is
 * asked for. With the newest comes what is still on its way.
 */
export function logRows(state, { from = 0, to = Infinity } = {}) {
  const { messages, pending } = state;
  const length = messages.length + pending.length;
  const end = to >= messages.length ? length : to;
  const item = (at) => (at < messages.length ? sentItem(messages[at], state.partnerRead) : pendingItem(pending[at - messages.length]));
  const newest = newestOfMine(state);
  const rows = [];
  let before = from > 0 ? item(from - 1) : null;
  let row = null;
  for (let at = from; at < end; at += 1) {
    const own = item(at);
    if (startsDay(before, own)) rows.push({ kind: 'day', key: `d:${own.key}`, at: own.at });
    const first = startsRun(before, own);
    if (row) row.last = first;
    row = { kind: 'message', first, last: true, newest: own.source === newest, ...own };
    rows.push(row);
    before = own;
  }
  if (row && end < length) row.last = startsRun(before, item(end));
  return rows;
}

const startsDay = (before, item) => before?.day !== item.day;

function startsRun(before, item) {
  return startsDay(before, item) || before.mine !== item.mine || item.at - before.at > runLength || before.recalled !== item.recalled;
}

function sentItem(message, partnerRead) {
  return {
    key: keyOf(message),
    source: message,
    mine: message.mine,
    at: message.at,
    day: dayOf(message.at),
    recalled: message.recalled,
    state: message.recalled ? 'recalled' : message.mine && message.seq <= partnerRead ? 'read' : 'sent',
  };
}

function pendingItem(pending) {
  return {
    key: `c:${pending.clientId}`,
    source: pending,
    mine: true,
    at: pending.at,
    day: dayOf(pending.at),
    recalled: false,
    state: pending.failed ? 'failed' : 'pending',
  };
}

/** The newest of my messages says its state in a word, not only in a shape. */
const newestOfMine = ({ messages, pending }) => pending.at(-1) ?? messages.findLast((message) => message.mine);

/** Whether two rows of one key look the same, so that nothing has to change. */
export function sameRow(a, b) {
  return (
    a.source === b.source && a.at === b.at && a.first === b.first && a.last === b.last && a.state === b.state && a.newest === b.newest
  );
}
