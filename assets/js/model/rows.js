// From a conversation to the rows of its log: day lines, messages, who starts
// and ends a run, and the state word of each of my messages. Pure.

import { sameDay } from '../lib/time.js';

const runLength = 120_000;

/** A key that stays the same when a pending message becomes a sent one. */
const keyOf = (message) => (message.mine && message.clientId ? `c:${message.clientId}` : `s:${message.seq}`);

export function logRows(state) {
  const rows = [];
  let before = null;
  for (const message of state.messages) before = addMessage(rows, before, sentItem(message, state.partnerRead));
  for (const pending of state.pending) before = addMessage(rows, before, pendingItem(pending, state.partner));
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at];
    if (row.kind !== 'message') continue;
    const after = rows[at + 1];
    row.last = !after || after.kind !== 'message' || after.first;
  }
  markNewest(rows);
  return rows;
}

function addMessage(rows, before, item) {
  if (!before || !sameDay(before.at, item.at)) rows.push({ kind: 'day', key: `d:${item.key}`, at: item.at });
  const apart =
    !before ||
    before.mine !== item.mine ||
    !sameDay(before.at, item.at) ||
    item.at - before.at > runLength ||
    before.recalled !== item.recalled;
  rows.push({ kind: 'message', first: apart, last: false, newest: false, ...item });
  return item;
}

function sentItem(message, partnerRead) {
  return {
    key: keyOf(message),
    source: message,
    mine: message.mine,
    at: message.at,
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
    recalled: false,
    state: pending.failed ? 'failed' : 'pending',
  };
}

/** The newest of my messages says its state in a word, not only in a shape. */
function markNewest(rows) {
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    if (rows[at].kind === 'message' && rows[at].mine) {
      rows[at].newest = true;
      return;
    }
  }
}

/** Whether two rows of one key look the same, so that nothing has to change. */
export function sameRow(a, b) {
  return (
    a.source === b.source && a.at === b.at && a.first === b.first && a.last === b.last && a.state === b.state && a.newest === b.newest
  );
}
