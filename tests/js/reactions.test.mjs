// Reactions: what frames and wishes make of them, what is sent, and what is shown and said.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { allowResend, looksDead, markSent, newOutbox, receive, resetConnection, sendable, toFrame } from '../../assets/js/model/outbox.js';
import { chosen, reactionsAt, signs, wishFor } from '../../assets/js/model/reactions.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { logRows, sameRow } from '../../assets/js/model/rows.js';
import { fillReactions } from '../../assets/js/ui/reactions.js';
import { mountLog } from '../../assets/js/ui/log.js';
import { announced, FakeElement, installPage, logPage } from './page.mjs';
import './words.mjs';

installPage();

const opening = (more) => ({ action: 'room_state', user_id: 'me', partner: { nickname: '月亮' }, active: true, last_seq: 0, ...more });
const message = (seq, sender = 'them', more = {}) => ({
  action: 'new_message',
  message: { id: String(seq), seq, sender_id: sender, content: `m${seq}`, replied_to: null, client_id: `c${seq}`, sent_at_ms: 1000, ...more },
});
const reaction = (id, who, kind, seq) => ({ action: 'reaction', message_id: id, user_id: who, reaction: kind, seq });
const same = (id, kind) => ({ action: 'reaction', message_id: id, user_id: 'me', reaction: kind, repeat: true });
const wants = (id, kind) => ({ action: 'asked', pendingAction: { kind: 'react', id, reaction: kind } });
const room = (...events) => reduceAll(newRoom('r'), [opening(), ...events], 0);
const at = (state, index = 0) => [state.messages[index].myReaction, state.messages[index].theirReaction];
const wishes = (state) => state.pendingActions.map(({ id, reaction: kind }) => [id, kind]);

test('one a side and message; what is changed or taken back is gone', () => {
  const state = room(message(1), message(2), reaction('1', 'them', 'heart', 3), reaction('1', 'me', 'laugh', 4));
  assert.deepEqual([at(state, 0), at(state, 1), state.lastSeq], [['laugh', 'heart'], [null, null], 4]);
  const changed = reduceAll(state, [reaction('1', 'them', 'ok', 5), reaction('1', 'me', null, 6)], 0);
  assert.deepEqual(at(changed), [null, 'ok']);
  assert.equal(changed.messages[1], state.messages[1], 'the other message did not change');
});

test('a replay ends with what holds, and a message told again keeps it', () => {
  const log = [message(1), reaction('1', 'them', null, 2), reaction('1', 'them', 'wow', 3)];
  const state = room(...log);
  assert.deepEqual(at(state), [null, 'wow']);
  assert.deepEqual(at(reduceAll(state, log, 0)), [null, 'wow']);
  assert.deepEqual(at(reduceAll(state, [message(1, 'them', { repeat: true })], 0)), [null, 'wow']);
});

test('a recall takes the reactions and the wish with it, a deletion the wish', () => {
  const state = room(message(1, 'me'), message(2), reaction('1', 'them', 'sad', 3), wants('1', 'ok'), wants('2', 'ok'));
  const recalled = reduceAll(state, [{ action: 'message_recalled', message_id: '1', seq: 4 }, reaction('1', 'them', 'heart', 3)], 0);
  assert.deepEqual([at(recalled), wishes(recalled)], [[null, null], [['2', 'ok']]]);
  assert.deepEqual(logRows(recalled)[1].reactions, { mine: null, theirs: null, waiting: false });
  const deleted = reduceAll(recalled, [{ action: 'message_deleted', message_id: '2' }, reaction('2', 'them', 'heart', 5)], 0);
  assert.deepEqual([deleted.messages.length, wishes(deleted)], [1, []]);
});

test('what nobody knows is no reaction', () => {
  assert.deepEqual(at(room(message(1), reaction('1', 'them', 'sparkle', 2))), [null, null]);
  assert.equal(room(message(1), reaction('9', 'them', 'ok', 2)).lastSeq, 2);
});

test('a wish shows at once, waits for its answer, and the last one counts', () => {
  const wanted = room(message(1), wants('1', 'heart'));
  assert.deepEqual(logRows(wanted)[1].reactions, { mine: 'heart', theirs: null, waiting: true });
  assert.equal(sameRow(logRows(wanted)[1], logRows(room(message(1)))[1]), false);
  const answered = reduceAll(wanted, [reaction('1', 'me', 'heart', 2)], 0);
  assert.deepEqual([at(answered), wishes(answered)], [['heart', null], []]);
  const other = reduceAll(wanted, [wants('1', 'wow')], 0);
  assert.deepEqual(wishes(other), [['1', 'wow']]);
  const late = reduceAll(other, [reaction('1', 'me', 'heart', 2)], 0);
  assert.deepEqual([logRows(late)[1].reactions.mine, wishes(late)], ['wow', [['1', 'wow']]]);
  const back = reduceAll(answered, [wants('1', null)], 0);
  assert.deepEqual(logRows(back)[1].reactions, { mine: null, theirs: null, waiting: true });
  assert.deepEqual(wishes(reduceAll(back, [same('1', null)], 0)), []);
});

test('what is replayed is older than a wish and does not answer it', () => {
  const before = room(message(1), reaction('1', 'me', 'heart', 2), wants('1', null));
  const again = reduceAll(before, [opening({ last_seq: 4 }), reaction('1', 'me', null, 2), reaction('1', 'me', 'laugh', 4)], 0);
  assert.deepEqual(wishes(again), [['1', null]]);
  assert.deepEqual(wishes(reduceAll(again, [reaction('1', 'me', null, 5)], 0)), []);
});

test('a refusal names the message, and what was there before shows again', () => {
  const state = room(message(1), message(2), reaction('1', 'me', 'ok', 3), wants('1', 'sad'), wants('2', 'sad'), { action: 'asked', pendingAction: { kind: 'delete', id: '2' } });
  const refused = reduceAll(state, [{ action: 'error', code: 'too_many_reactions', message_id: '1' }], 0);
  assert.deepEqual([logRows(refused)[1].reactions.mine, wishes(refused)], ['ok', [['2', 'sad'], ['2', undefined]]]);
  const waits = reduceAll(state, [{ action: 'error', code: 'unavailable', message_id: '1' }], 0);
  assert.equal(wishes(waits).length, 3);
  assert.equal(room(wants('1', 'ok'), { action: 'error', code: 'unknown_action' }).pendingActions.length, 0, 'a server of before');
});

test('the end of the room ends wishes, and another log forgets them', () => {
  const state = room(message(1), wants('1', 'ok'));
  assert.deepEqual(wishes(reduceAll(state, [{ action: 'user_left', user_id: 'them', reason: 'left', seq: 2 }], 0)), []);
  assert.deepEqual(wishes(reduceAll(state, [opening({ anew: true })], 0)), []);
});

test('the same again takes it back', () => {
  assert.deepEqual([chosen('ok', 'ok'), chosen('ok', 'wow'), chosen(null, 'wow')], [null, 'wow', 'wow']);
  assert.deepEqual(Object.keys(signs), ['heart', 'laugh', 'wow', 'sad', 'ok']);
  const state = room(message(1), reaction('1', 'me', 'ok', 2), wants('1', null));
  assert.equal(reactionsAt(state.messages[0], wishFor(state.pendingActions, '1')).mine, null);
});

/** A page and its socket, as far as wishes go. */
function page() {
  let [state, outbox, sent] = [room(message(1)), newOutbox(0), []];
  const self = {
    flush() {
      for (const item of sendable(outbox, state)) {
        sent.push(toFrame(item));
        outbox = markSent(outbox, item, 0);
      }
      return self;
    },
    opens() {
      outbox = receive(resetConnection(outbox, 0), opening(), 0);
      return self.flush();
    },
    hears(frame) {
      outbox = receive(outbox, frame, 0);
      state = reduceAll(state, [frame], 0);
      return self.flush();
    },
    wants(kind) {
      state = reduceAll(state, [wants('1', kind)], 0);
      return self.flush();
    },
    sent() {
      const kinds = sent.map((frame) => frame.reaction);
      assert.ok(sent.every((frame) => frame.action === 'react' && frame.message_id === '1'));
      sent = [];
      return kinds;
    },
    outbox: () => outbox,
    state: () => state,
  };
  return self;
}

test('one wish for a message is on its way at a time, and the last one follows it', () => {
  const it = page().opens().wants('heart').wants('laugh').wants('heart').wants('sad');
  assert.deepEqual(it.sent(), ['heart']);
  assert.deepEqual(it.hears(reaction('1', 'me', 'heart', 2)).sent(), ['sad']);
  assert.deepEqual(it.hears(reaction('1', 'me', 'sad', 3)).sent(), []);
  assert.deepEqual([at(it.state()), wishes(it.state())], [['sad', null], []]);
  assert.equal(looksDead(it.outbox(), it.state(), 1_000_000), false, 'nothing is outstanding');
});

test('a lost connection says the wish again, and the server says that it holds', () => {
  const it = page().opens().wants('wow');
  assert.deepEqual(it.sent(), ['wow']);
  assert.deepEqual(it.opens().sent(), ['wow']);
  assert.deepEqual(it.hears(same('1', 'wow')).sent(), []);
  assert.deepEqual([at(it.state()), wishes(it.state())], [['wow', null], []]);
});

test('a refused wish is not sent again, an unanswered one is', () => {
  const it = page().opens().wants('wow');
  it.sent();
  assert.deepEqual(it.hears({ action: 'error', code: 'too_many_reactions', message_id: '1' }).sent(), []);
  it.wants('ok');
  assert.deepEqual(it.sent(), ['ok']);
  const again = allowResend(it.outbox(), it.state().pendingActions);
  assert.equal(sendable(again, it.state()).length, 1);
});

test('the chip says whose they are, and two alike are one', () => {
  setLanguage('en');
  const bubble = new FakeElement('div');
  const show = (mine, theirs, waiting = false) => fillReactions(bubble, { mine, theirs, waiting }, { partner: '月亮' });
  const chip = () => bubble.querySelector('.reactions');
  assert.equal(show(null, null), false);
  assert.equal(chip(), null);
  assert.equal(show('heart', 'wow', true), true);
  assert.deepEqual([chip().textContent, chip().getAttribute('aria-label')], ['❤️😮', 'You: heart, 月亮: surprised']);
  assert.ok(chip().classList.contains('is-waiting'));
  const before = chip();
  show('heart', 'wow');
  assert.equal(chip(), before, 'what did not change stays');
  assert.ok(!chip().classList.contains('is-waiting'));
  show('wow', 'wow');
  assert.equal(chip().textContent, '😮2');
  assert.equal(show(null, null), false);
  assert.equal(chip(), null);
});

test('a chip is no news of the log, whoever set it', () => {
  setLanguage('en');
  const { main, rows } = logPage();
  const ui = mountLog(main, { onSeen() {} });
  let state = room(message(1));
  const show = (...events) => {
    state = reduceAll(state, events, 0);
    ui.update(state, { still: false, names: { partner: '月亮', bot: false } });
  };
  show();
  announced.length = 0;
  for (const event of [reaction('1', 'them', 'heart', 2), wants('1', 'ok'), reaction('1', 'me', 'ok', 3), reaction('1', 'them', null, 4)]) show(event);
  assert.deepEqual(announced, []);
  const node = rows.childNodes.find((it) => it.classList.contains('message'));
  assert.equal(node.querySelector('.reactions').textContent, '👍');
  assert.ok(node.classList.contains('is-reacted'));
  show({ action: 'message_recalled', message_id: '1', seq: 5 });
  assert.equal(node.querySelector('.reactions'), null);
});
