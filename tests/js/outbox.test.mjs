// What is sent to a room's server, in which order, and when it is sent again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowResend, backoffDelay, endBackoff, looksDead, markSent, newOutbox, noteSilentReconnect, overdue, receive, referenceTo, resetConnection, sendable, toFrame, unanswered } from '../../assets/js/model/outbox.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';

const stated = { action: 'room_state', room_id: 'r', user_id: 'me', partner: {}, active: true, last_seq: 0 };
const unavailable = (clientId) => ({ action: 'error', code: 'unavailable', client_id: clientId });
const stored = (seq, clientId) => ({ action: 'new_message', message: { id: String(seq), seq, sender_id: 'me', content: 'hi', client_id: clientId, sent_at_ms: 0 } });

/** A page and its socket, as pages/room-connection.js puts them together. */
function page() {
  let room = newRoom('r');
  let outbox = newOutbox(0);
  let open = false;
  let sent = [];
  const names = { block: 'block', find_next: 'leave' };
  const self = {
    now: 0,
    flush() {
      for (const item of sendable(outbox, room)) {
        if (!open) return self;
        const frame = toFrame(item);
        sent.push(frame.message?.client_id ?? names[frame.action] ?? `${frame.action}:${frame.message_id}`);
        outbox = markSent(outbox, item, self.now);
      }
      return self;
    },
    open() {
      open = true;
      outbox = resetConnection(outbox, self.now);
      return self;
    },
    lose() {
      open = false;
      outbox = resetConnection(outbox, self.now);
      return self;
    },
    hears(frame) {
      outbox = receive(outbox, frame, self.now);
      room = reduceAll(room, [frame], self.now);
      return frame.action === 'room_state' ? self.flush() : self;
    },
    does(event) {
      room = reduceAll(room, [event], self.now);
      return self.flush();
    },
    writes: (clientId) => self.does({ action: 'wrote', clientId, content: 'hi', at: 0 }),
    asks: (kind, id) => self.does({ action: 'asked', pendingAction: { kind, id, clientId: id && `c${id}` } }),
    backoffEnds() {
      outbox = endBackoff(outbox);
      return self.flush();
    },
    waits(ms) {
      self.now += ms;
      return self.does({ action: 'waited' });
    },
    dead: () => looksDead(outbox, room, self.now),
    /** As pages/room-connection.js looks at the clock: 'again', 'reconnect' or 'fine'. */
    watch() {
      const own = unanswered(outbox, room, self.now);
      const late = own.length > 0 ? own : overdue(outbox, room, self.now);
      if (own.length === 0 && !self.dead()) return 'fine';
      room = reduceAll(room, [{ action: 'unanswered', items: late.map(referenceTo) }], self.now);
      if (own.length === 0) {
        outbox = noteSilentReconnect(outbox, self.now);
        return 'reconnect';
      }
      outbox = allowResend(outbox, own);
      self.flush();
      return 'again';
    },
    reconnectsInSilence() {
      outbox = noteSilentReconnect(outbox, self.now);
      return self;
    },
    outbox: () => outbox,
    room: () => room,
    takeSent() {
      const all = sent;
      sent = [];
      return all.join(' ');
    },
  };
  return self;
}

const ready = () => page().open().hears(stated);

test('a message goes out at once where nothing stands before it', () => {
  assert.equal(ready().writes('a').writes('b').takeSent(), 'a b');
});

test('nothing is sent before the state of the room', () => {
  const one = page().writes('a').open().writes('b');
  assert.equal(one.takeSent(), '');
  assert.equal(one.hears(stated).takeSent(), 'a b');
});

test('an unacknowledged message goes before a new one over a new connection', () => {
  const one = ready().writes('p');
  one.takeSent();
  one.lose().writes('n').open().writes('o');
  assert.equal(one.takeSent(), '', 'the socket is open, the room has not spoken');
  assert.equal(one.hears(stated).takeSent(), 'p n o');
});

test('a message the store did not take is not overtaken', () => {
  const one = ready().writes('p').hears(unavailable('p'));
  one.takeSent();
  assert.equal(one.writes('n').takeSent(), '');
  // A message of the partner shows that the store is back; the back-off still holds.
  one.hears({ action: 'new_message', message: { id: '1', seq: 1, sender_id: 'them', content: 'yo', client_id: 'x', sent_at_ms: 0 } });
  assert.equal(one.writes('o').takeSent(), '');
  assert.equal(one.backoffEnds().takeSent(), 'p n o');
  assert.equal(one.hears(stored(2, 'p')).writes('q').takeSent(), 'q');
});

test('a failed message holds up no other, and goes out again when asked to', () => {
  const one = ready().writes('p').hears({ action: 'error', code: 'too_long', client_id: 'p' }).writes('n');
  assert.equal(one.takeSent(), 'p n');
  assert.equal(one.does({ action: 'retry', clientId: 'p' }).takeSent(), 'p');
});

test('what was answered and is not folded in yet is not sent twice', () => {
  const one = ready().writes('p');
  const room = one.room();
  const heard = receive(one.outbox(), stored(1, 'p'), 0);
  assert.deepEqual(sendable(heard, room), []);
  assert.equal(looksDead(heard, room, 1e9), false);
});

test('a page that is the newest again sends everything again', () => {
  const one = ready().writes('p').hears({ action: 'replaced' });
  one.takeSent();
  assert.equal(one.hears(stated).takeSent(), 'p');
});

test('in a closed room nothing is written, a block still counts', () => {
  const one = page().writes('a').asks('leave').asks('recall', '1').asks('block').open().hears({ ...stated, active: false });
  assert.equal(one.takeSent(), 'recall_message:1 block');
});

test('a block goes before what was written, leaving after it', () => {
  assert.equal(page().writes('a').asks('leave').asks('block').open().hears(stated).takeSent(), 'block a leave');
});

test('an action is sent on each connection and after each back-off, until it is confirmed', () => {
  const one = ready().asks('block').asks('delete', '7');
  assert.equal(one.takeSent(), 'block delete_message:7');
  assert.equal(one.lose().open().hears(stated).takeSent(), 'block delete_message:7');
  assert.equal(one.hears(unavailable()).backoffEnds().takeSent(), 'block delete_message:7');
  one.hears({ action: 'blocked' }).hears({ action: 'message_deleted', message_id: '7' });
  assert.equal(one.lose().open().hears(stated).takeSent(), '');
  assert.equal(one.room().blocked, true);
});

test('a recall names the message, so that a refusal says which it means', () => {
  assert.deepEqual(toFrame({ kind: 'recall', id: '4', clientId: 'c4' }), { action: 'recall_message', message_id: '4', client_id: 'c4' });
});

test('back-offs double while nothing is answered, and several errors are one trouble', () => {
  const one = ready().writes('p').writes('q').hears(unavailable('p')).hears(unavailable('q'));
  assert.equal(backoffDelay(one.outbox(), 1), 1000);
  assert.equal(backoffDelay(one.backoffEnds().hears(unavailable('p')).outbox(), 1), 2000);
  assert.equal(backoffDelay({ backoffs: 40 }, 1), 20_000);
  assert.equal(backoffDelay({ backoffs: 1 }, 0), 500);
  one.backoffEnds().hears(stored(1, 'p')).hears(unavailable('q'));
  assert.equal(backoffDelay(one.outbox(), 1), 1000);
});

test('silence after something was sent means a dead socket', () => {
  const one = ready().writes('p');
  assert.equal(one.waits(12_000).dead(), false);
  assert.equal(one.waits(1).dead(), true);
  assert.equal(one.hears(stored(1, 'p')).dead(), false);
  one.asks('block');
  one.now += 6000;
  one.writes('q');
  one.now += 6001;
  assert.equal(one.dead(), true, 'writing on does not put it off');
});

test('a back-off is no silence, an opened connection without a word is', () => {
  assert.equal(ready().writes('p').hears(unavailable('p')).waits(1e6).dead(), false);
  assert.equal(page().open().waits(12_001).dead(), true);
});

test('patience grows, so that a server that never answers is not asked for ever', () => {
  const one = ready().asks('block').reconnectsInSilence().lose().open().hears(stated);
  assert.equal(one.waits(20_000).dead(), false);
  assert.equal(one.waits(4001).dead(), true);
});

test('one message that is never answered is not the fault of the connection', () => {
  const it = page().open().hears(stated).writes('bad').waits(1000).writes('good');
  it.hears(stored(1, 'good')).waits(10_000);
  assert.equal(it.watch(), 'fine');
  it.waits(1500);
  assert.equal(it.watch(), 'again', 'others were answered');
  assert.equal(it.takeSent(), 'bad good bad');
  it.writes('next').hears(stored(2, 'next')).waits(13_000);
  assert.equal(it.watch(), 'again');
  assert.deepEqual(it.room().pendingMessages.map((item) => [item.clientId, item.failed]), [['bad', 'unanswered']]);
  it.writes('last').waits(60_000).hears(stored(3, 'last'));
  assert.deepEqual([it.watch(), it.dead()], ['fine', false], 'no reconnect for it');
  it.does({ action: 'retry', clientId: 'bad' });
  assert.equal(it.takeSent(), 'next last bad', 'a press sends it again');
});

test('many messages that a server takes one by one are all waited for', () => {
  const it = page().open().hears(stated);
  for (let n = 1; n <= 100; n += 1) it.writes(`c${n}`);
  for (let n = 1; n <= 100; n += 1) {
    it.waits(200).hears(stored(n, `c${n}`));
    assert.equal(it.watch(), 'fine', `${n} of 100 are answered`);
  }
  assert.deepEqual(it.room().pendingMessages, []);
});

test('a message that two connections leave unanswered has failed; one is not enough', () => {
  const it = page().open().hears(stated).writes('c1').waits(13_000);
  assert.equal(it.watch(), 'reconnect');
  it.lose().open().hears(stated);
  assert.equal(it.room().pendingMessages[0].failed, null);
  it.waits(25_000);
  assert.equal(it.watch(), 'again');
  assert.equal(it.room().pendingMessages[0].failed, 'unanswered');
  // It was stored all the same, and the answer had been lost.
  it.hears(stored(1, 'c1'));
  assert.deepEqual(it.room().pendingMessages, []);
});

test('leaving and a block are never given up', () => {
  const it = page().open().hears(stated).asks('leave').asks('block').asks('delete', '4').waits(13_000);
  for (let round = 0; round < 4; round += 1) {
    it.watch();
    it.lose().open().hears(stated).waits(700_000);
  }
  assert.deepEqual(it.room().pendingActions.map(({ kind }) => kind), ['leave', 'block']);
});

test('a frame that was not understood is not sent for ever', () => {
  const it = page().open().hears(stated).writes('c1').writes('c2');
  it.hears({ action: 'error', code: 'bad_json', client_id: 'c1' }).flush();
  assert.equal(it.takeSent(), 'c1 c2', 'it would not be understood the next time');
  assert.equal(it.room().pendingMessages[0].failed, 'bad_json');
  it.hears({ action: 'error', code: 'some_new_code', client_id: 'c2' }).flush();
  assert.equal(it.takeSent(), 'c2', 'what we do not know may pass, once');
  it.hears({ action: 'error', code: 'some_new_code', client_id: 'c2' }).flush();
  assert.equal(it.takeSent(), '');
  assert.equal(it.room().pendingMessages[1].failed, 'some_new_code');
});

test('half a character never goes on the wire', () => {
  const frame = toFrame({ clientId: 'c1', content: 'cut \ud83d' });
  assert.equal(frame.message.content, 'cut \ufffd');
  assert.equal(toFrame({ clientId: 'c1', content: '😀' }).message.content, '😀');
});
