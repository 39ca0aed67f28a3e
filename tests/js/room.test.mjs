// The conversation as data: what each frame and each action does to it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRoom, reduce, reduceAll } from '../../assets/js/model/room.js';
import { isAsked, isNoShow, isReplaying, lastSeqOfPartner, minutesTalked, resumePoint } from '../../assets/js/model/room-queries.js';
import { logRows, sameRow } from '../../assets/js/model/rows.js';

const noon = new Date(2026, 4, 1, 12, 0).getTime();
const partner = { nickname: '月亮', avatar: '1', mood: 'happy', online: true };
const opening = { action: 'room_state', room_id: 'r', user_id: 'me', partner, common_tags: [], active: true, last_seq: 0, partner_read: 0 };

const message = (seq, sender = 'me', more = {}) => ({
  action: 'new_message',
  message: { id: String(seq), seq, sender_id: sender, content: `m${seq}`, recalled: false, replied_to: null, client_id: `c${seq}`, sent_at_ms: noon + seq * 1000, ...more },
});
const wrote = (clientId, content = 'hi') => ({ action: 'wrote', clientId, content, at: noon });
const room = (...events) => reduceAll(newRoom('r'), [opening, ...events], noon);
const seqs = (state) => state.messages.map(({ seq }) => seq);

test('an acknowledgement turns the pending message into a sent one, once', () => {
  const before = room(wrote('c1'));
  assert.equal(before.pendingMessages.length, 1);
  const after = reduce(before, message(1), noon);
  assert.equal(after.pendingMessages.length, 0);
  assert.deepEqual(seqs(after), [1]);
  assert.equal(logRows(before).at(-1).key, logRows(after).at(-1).key);
});

test('that the partner is about to leave is known until they stay, speak, come back or are gone', () => {
  const leaving = { action: 'partner_leaving', is_leaving: true };
  const about = room(leaving);
  assert.equal(about.partnerLeaving, true);
  assert.equal(about.partnerOnline, true);
  for (const event of [{ ...leaving, is_leaving: false }, message(1, 'them'), { action: 'partner_status', online: true }, { action: 'user_left', user_id: 'them', reason: 'left', seq: 1 }, opening]) {
    assert.equal(reduce(about, event, noon).partnerLeaving, false, event.action);
  }
  assert.equal(reduce(about, message(1), noon).partnerLeaving, true, 'what I write brings them not back');
  assert.equal(room({ action: 'user_left', user_id: 'them', reason: 'left', seq: 1 }, leaving).partnerLeaving, false);
});

test('the partner may use a client_id of mine without touching what I wrote', () => {
  const state = room(wrote('c1'), message(1, 'them'));
  assert.equal(state.pendingMessages.length, 1);
});

test('messages stand in seq order and never twice', () => {
  assert.deepEqual(seqs(room(message(2), message(1), message(2))), [1, 2]);
});

test('a repeat does not advance the stream, what it tells is shown', () => {
  const state = room(message(1), message(5, 'me', { repeat: true }));
  assert.equal(state.lastSeq, 1);
  assert.deepEqual(seqs(state), [1, 5]);
  assert.deepEqual(seqs(reduce(state, message(5), noon)), [1, 5]);
});

test('recalls and departures advance the stream too', () => {
  const state = room(message(1), { action: 'message_recalled', message_id: '1', seq: 2 }, { action: 'user_left', user_id: 'them', reason: 'left', seq: 3 });
  assert.equal(state.lastSeq, 3);
  assert.equal(state.messages[0].content, null);
  assert.equal(state.active, false);
});

test('an end that is near is known until it comes', () => {
  const told = room({ action: 'room_closing', closes_ms: 600_000 });
  assert.equal(told.closesAt, noon + 600_000);
  assert.equal(reduce(told, { ...opening, closes_ms: 590_000 }, noon).closesAt, noon + 600_000);
  const over = reduce(told, { action: 'user_left', user_id: 'them', reason: 'time_up', seq: 1 }, noon);
  assert.deepEqual([over.closesAt, over.active, over.ended.by, over.ended.reason], [null, false, 'them', 'time_up']);
  assert.equal(reduce(over, { action: 'room_closing', closes_ms: 1 }, noon).closesAt, null);
});

test('a recall empties every quote of it', () => {
  const quote = message(2, 'them', { replied_to: '1', replied_to_content: 'm1' });
  const state = room(message(1), quote, { action: 'message_recalled', message_id: '1', seq: 3 });
  assert.equal(state.messages[1].quoteText, null);
  assert.equal(state.messages[1].quoteMine, true);
});

test('a quote that was cut says so', () => {
  const quote = (cut) => message(2, 'them', { replied_to: '1', replied_to_content: 'm', replied_to_cut: cut });
  assert.equal(room(message(1), quote(true)).messages[1].quoteText, 'm…');
  assert.equal(room(message(1), quote(undefined)).messages[1].quoteText, 'm');
});

test('a message that did not change keeps its identity', () => {
  const before = room(message(1), message(2));
  const after = reduce(before, { action: 'message_recalled', message_id: '2', seq: 3 }, noon);
  assert.equal(after.messages[0], before.messages[0]);
  assert.notEqual(after.messages[1], before.messages[1]);
});

test('a recalled message does not come back with an older frame', () => {
  const state = room(message(1), { action: 'message_recalled', message_id: '1', seq: 2 }, message(1));
  assert.equal(state.messages[0].content, null);
});

test('delete for me removes it here', () => {
  assert.deepEqual(seqs(room(message(1), message(2, 'them'), { action: 'message_deleted', message_id: '2' })), [1]);
});

test('who left, and why', () => {
  assert.equal(room({ action: 'user_left', user_id: 'me', reason: 'left', seq: 1 }).ended.by, 'me');
  assert.equal(room({ action: 'user_left', user_id: 'them', reason: 'left', seq: 1 }).ended.by, 'them');
  assert.equal(room({ action: 'user_left', user_id: 'me', reason: 'timeout', seq: 1 }).ended.reason, 'timeout');
});

test('what was not stored when the room closed has failed', () => {
  const state = room(wrote('c1'), { action: 'user_left', user_id: 'them', reason: 'left', seq: 1 });
  assert.equal(state.pendingMessages[0].failed, 'room_closed');
});

test('unavailable keeps a message pending, a refusal fails it', () => {
  const waiting = room(wrote('c1'), { action: 'error', code: 'unavailable', client_id: 'c1' });
  assert.equal(waiting.pendingMessages[0].failed, null);
  assert.equal(waiting.storeDown, true);
  assert.equal(reduce(waiting, message(1), noon).storeDown, false);
  const refused = room(wrote('c1'), { action: 'error', code: 'too_long', client_id: 'c1' });
  assert.equal(refused.pendingMessages[0].failed, 'too_long');
  assert.equal(reduce(refused, { action: 'retry', clientId: 'c1' }, noon).pendingMessages[0].failed, null);
});

test('a store that answers again is no longer down', () => {
  const down = room(message(1), wrote('c2'), { action: 'error', code: 'unavailable', client_id: 'c2' });
  assert.equal(down.storeDown, true);
  assert.equal(reduce(down, { ...opening, last_seq: 1 }, noon).storeDown, false, 'it gave the state of the room');
  assert.equal(reduce(down, message(2, 'me', { repeat: true }), noon).storeDown, false, 'it had stored that one');
});

test('a page that was replaced and is the newest again starts from what is', () => {
  const away = { action: 'partner_status', online: false, grace_ends_ms: 1000 };
  const replaced = room(message(1, 'them'), away, { action: 'replaced' });
  assert.equal(replaced.replaced, true);
  assert.equal(reduce(replaced, message(2), noon).replaced, true, 'only a room_state says so');
  const again = reduce(replaced, { ...opening, last_seq: 3, partner_read: 2 }, noon);
  assert.deepEqual([again.replaced, again.partnerOnline, again.graceEndsAt, again.partnerRead], [false, true, null, 2]);
  assert.equal(isReplaying(again), true, 'what was said meanwhile is still to come');
  const gone = reduce(replaced, { ...opening, partner: { ...partner, online: false, grace_ends_ms: 9000 } }, noon);
  assert.deepEqual([gone.partnerOnline, gone.graceEndsAt], [false, noon + 9000]);
});

test('unknown actions and broken frames change nothing', () => {
  const state = room(message(1));
  assert.deepEqual(seqs(reduceAll(state, [{ action: 'sparkle' }, { action: 'new_message' }, { action: 'new_message', message: 3 }], noon)), [1]);
});

test('presence: away with a deadline, and back', () => {
  const away = room({ action: 'partner_status', online: false, grace_ends_ms: 1000 });
  assert.equal(away.graceEndsAt, noon + 1000);
  assert.equal(reduce(away, { action: 'partner_status', online: true }, noon).graceEndsAt, null);
});

test('replaying lasts until the last entry of the opening state', () => {
  const state = reduceAll(newRoom('r'), [{ ...opening, last_seq: 2 }, message(1)], noon);
  assert.equal(isReplaying(state), true);
  assert.equal(isReplaying(reduce(state, message(2), noon)), false);
});

test('the partner was last at, minutes', () => {
  const state = room(message(1), message(2, 'them'), message(3));
  assert.equal(lastSeqOfPartner(state), 2);
  assert.equal(minutesTalked(state), 1);
  assert.equal(minutesTalked(room()), 0);
});

test('a long history folds quickly', () => {
  const events = Array.from({ length: 5000 }, (_, index) => message(index + 1, index % 2 ? 'me' : 'them'));
  const started = performance.now();
  const state = reduceAll(newRoom('r'), [opening, ...events], noon);
  logRows(state);
  assert.equal(state.messages.length, 5000);
  assert.ok(performance.now() - started < 500);
});

test('rows: a day line, runs within two minutes, states, the newest of mine', () => {
  const later = { sent_at_ms: noon + 600_000 };
  const state = reduce(room(message(1), message(2), message(3, 'me', later), message(4, 'them', later)), { action: 'partner_read', seq: 2 }, noon);
  const rows = logRows(state);
  assert.deepEqual(rows.map((row) => row.kind), ['day', 'message', 'message', 'message', 'message']);
  assert.deepEqual(rows.slice(1).map((row) => [row.first, row.last]), [[true, false], [false, true], [true, true], [true, true]]);
  assert.deepEqual(rows.slice(1).map((row) => row.state), ['read', 'read', 'sent', 'sent']);
  assert.deepEqual(rows.slice(1).map((row) => row.newest), [false, false, true, false]);
  assert.ok(rows.every((row, index) => sameRow(row, logRows(state)[index])));
});

const asked = (kind, id) => ({ action: 'asked', pendingAction: { kind, id, clientId: kind === 'recall' ? `c${id}` : undefined } });
const refusal = (code, clientId) => ({ action: 'error', code, client_id: clientId });
const iLeft = { action: 'user_left', user_id: 'me', reason: 'left', seq: 9 };
const kinds = (state) => state.pendingActions.map((action) => action.kind + (action.id ?? ''));

test('an action is done when the server says so, once', () => {
  const state = room(message(1), message(2), asked('recall', '1'), asked('recall', '1'), asked('delete', '2'), asked('block'), asked('leave'));
  assert.deepEqual(kinds(state), ['recall1', 'delete2', 'block', 'leave']);
  assert.equal(state.blocked, false);
  const recalled = reduce(state, { action: 'message_recalled', message_id: '1', seq: 3 }, noon);
  assert.deepEqual(recalled.confirmed, ['recall']);
  assert.deepEqual(kinds(reduce(state, message(1, 'me', { content: null, recalled: true }), noon)), ['delete2', 'block', 'leave']);
  const deleted = reduce(recalled, { action: 'message_deleted', message_id: '2' }, noon);
  assert.deepEqual(deleted.confirmed, ['delete']);
  const left = reduce(deleted, iLeft, noon);
  assert.deepEqual([left.confirmed, kinds(left)], [['leave'], ['block']]);
  const blocked = reduce(left, { action: 'blocked' }, noon);
  assert.deepEqual([blocked.blocked, blocked.confirmed, kinds(blocked)], [true, ['block'], []]);
  assert.deepEqual(reduce(blocked, { action: 'blocked' }, noon).confirmed, []);
});

test('a departure of the partner ends a farewell, not a block', () => {
  const state = room(asked('block'), asked('leave'), { ...iLeft, user_id: 'them' });
  assert.deepEqual(kinds(state), ['block']);
  assert.equal(reduce(state, { action: 'waited' }, noon + 60_000).blocked, false);
});

test('where no server says blocked, my own departure does, after a moment', () => {
  const state = room(asked('block'), iLeft);
  assert.equal(reduce(state, { action: 'waited' }, noon + 2999).blocked, false);
  assert.equal(reduce(state, { action: 'waited' }, noon + 3000).blocked, true);
});

test('a room that closed without the block being kept proves nothing', () => {
  const state = room(asked('block'), iLeft, refusal('unavailable'));
  const later = reduceAll(state, [iLeft, { action: 'waited' }], noon + 60_000);
  assert.deepEqual([later.blocked, kinds(later)], [false, ['block']]);
  assert.equal(reduce(later, { action: 'blocked' }, noon).blocked, true);
});

test('a block asked for when the room is closed, or after a farewell, needs its own word', () => {
  for (const before of [[iLeft, asked('block')], [asked('leave'), asked('block'), iLeft]]) {
    assert.equal(reduce(room(...before, iLeft), { action: 'waited' }, noon + 60_000).blocked, false);
  }
});

test('a refusal ends the action it is about', () => {
  const state = room(asked('recall', '1'), asked('recall', '2'), asked('delete', '3'), asked('delete', '4'), asked('block'));
  assert.deepEqual(kinds(reduce(state, refusal('already_recalled', 'c2'), noon)), ['recall1', 'delete3', 'delete4', 'block']);
  assert.deepEqual(kinds(reduce(state, refusal('not_yours', 'c1'), noon)), ['recall2', 'delete3', 'delete4', 'block']);
  assert.deepEqual(kinds(reduce(state, refusal('no_such_message'), noon)), ['recall1', 'recall2', 'delete4', 'block']);
  assert.deepEqual(kinds(reduce(state, refusal('room_closed', 'c9'), noon)), kinds(state), 'that was a message');
  assert.deepEqual(kinds(reduce(state, refusal('unavailable', 'c1'), noon)), kinds(state));
  assert.equal(isAsked(state, 'block'), true);
});

test('a conversation that ends without the other one having come is none', () => {
  const ends = (reason) => ({ action: 'user_left', user_id: 'them', reason, seq: 9 });
  const begun = room();
  assert.equal(isNoShow(begun, reduce(begun, ends('no_show'), noon)), true);
  assert.equal(isNoShow(begun, reduce(begun, ends('left'), noon)), false);
  assert.equal(isNoShow(begun, reduce(begun, ends('timeout'), noon)), false);
  const ended = reduce(begun, ends('no_show'), noon);
  assert.equal(isNoShow(ended, ended), false, 'once');
  const opened = newRoom('r');
  assert.equal(isNoShow(opened, reduceAll(opened, [{ ...opening, active: false }, ends('no_show')], noon)), false, 'a page that opens what has ended stays');
});

test('a reconnect says which message it has last, by its place and its time', () => {
  assert.deepEqual(resumePoint(room()), { after: 0, after_sent_at_ms: undefined });
  const recalled = { action: 'message_recalled', message_id: '1', seq: 3 };
  assert.deepEqual(resumePoint(room(message(1), message(2, 'them'), recalled)), { after: 2, after_sent_at_ms: noon + 2000 });
  // What was answered outside the stream does not say that all before it is there.
  assert.deepEqual(resumePoint(room(message(1), message(9, 'me', { repeat: true }))), { after: 1, after_sent_at_ms: noon + 1000 });
  assert.deepEqual(resumePoint(room(message(1), { action: 'message_deleted', message_id: '1' })), { after: 0, after_sent_at_ms: undefined });
});

test('a log that is another one replaces what is here, and nothing names a place in the old one', () => {
  const reply = { id: '2', text: 'm2', mine: false };
  const before = room(message(1), message(2, 'them'), { action: 'partner_read', seq: 2 }, { ...wrote('c7'), reply }, asked('recall', '1'), asked('delete', '2'), asked('block'));
  const after = reduceAll(before, [{ ...opening, last_seq: 1, anew: true }, message(1, 'them', { content: 'another' })], noon);
  assert.deepEqual(after.messages.map(({ seq, content }) => [seq, content]), [[1, 'another']]);
  assert.deepEqual([after.anew, after.lastSeq, after.partnerRead], [true, 1, 0]);
  assert.deepEqual(after.pendingMessages.map(({ clientId, reply: quoted }) => [clientId, quoted]), [['c7', null]]);
  assert.deepEqual(kinds(after), ['block']);
  assert.equal(reduce(before, { ...opening, last_seq: 2 }, noon).messages.length, 2, 'only where it is said');
});
