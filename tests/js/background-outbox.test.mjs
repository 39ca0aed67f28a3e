// The pending actions of a conversation go on without its page, over a socket of
// its own, and after a reload.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackgroundOutbox, startBackgroundOutboxes, stopBackgroundOutbox } from '../../assets/js/pages/background-outbox.js';
import { handOverActions, isLeft, loadPendingActions, loadPendingMessages, rememberSide, savePendingActions, savePendingMessages, requestLeave } from '../../assets/js/pages/room-storage.js';
import { local, tab } from '../../assets/js/lib/storage.js';
import { installPage } from './page.mjs';

installPage();
const toasts = [];
Object.assign(document, { addEventListener() {}, removeEventListener() {}, querySelector: () => null, querySelectorAll: () => [], body: { append: (node) => toasts.push(node.textContent) } });
Object.assign(globalThis, { addEventListener() {}, removeEventListener() {}, location: new URL('https://example.test/chat/') });

const sockets = [];
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = new URL(url);
    sockets.push(this);
  }
  send(text) {
    const frame = JSON.parse(text);
    if (frame.action !== 'are_you_there') this.sent.push(frame);
  }
  close() {
    this.readyState = 3;
  }
  opens(...frames) {
    this.readyState = 1;
    this.onopen();
    this.hears(...frames);
  }
  hears(...frames) {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }
};
const stated = (active) => ({ action: 'room_state', room_id: 'r', user_id: 'me', partner: {}, active, last_seq: 0 });
const start = (...actions) => {
  sockets.length = 0;
  toasts.length = 0;
  rememberSide('r', { user_id: 'me', token: 'secret' });
  savePendingActions('r', actions);
};

test('a block goes on until it is confirmed, and is announced only then', () => {
  start({ kind: 'block' }, { kind: 'recall', id: '3', clientId: 'c3' });
  startBackgroundOutboxes();
  startBackgroundOutbox('r');
  assert.equal(sockets.length, 1, 'one background outbox for one room');
  const [socket] = sockets;
  assert.equal(socket.url.href, 'wss://example.test/ws/chat/', 'no address names a room');
  socket.opens(stated(false));
  assert.deepEqual(socket.sent.shift(), { action: 'enter', room: 'r', token: 'secret', after: 0, together: true, user_id: 'me' });
  assert.deepEqual(socket.sent.map(({ action }) => action), ['block', 'recall_message']);
  assert.deepEqual(toasts, []);
  socket.hears({ action: 'blocked' });
  assert.equal(toasts.length, 1);
  assert.deepEqual(loadPendingActions('r').map(({ kind }) => kind), ['recall']);
  socket.hears({ action: 'error', code: 'already_recalled', client_id: 'c3' });
  assert.deepEqual(loadPendingActions('r'), []);
  assert.equal(socket.readyState, 3, 'nothing is outstanding any more');
});

test('a room that may not be entered ends the background outbox, and says nothing of it', () => {
  start({ kind: 'block' });
  startBackgroundOutboxes();
  sockets[0].opens({ action: 'error', code: 'not_a_member' });
  sockets[0].onclose({ code: 4101 });
  assert.deepEqual(toasts, []);
  assert.deepEqual(loadPendingActions('r'), []);
});

test('a room that is no more ends the background outbox', () => {
  start({ kind: 'block' });
  startBackgroundOutboxes();
  sockets[0].opens();
  sockets[0].onclose({ code: 4004 });
  assert.deepEqual(loadPendingActions('r'), []);
});

test('a room that is opened again takes its pending actions back', () => {
  start({ kind: 'delete', id: '3' });
  startBackgroundOutboxes('r');
  assert.equal(sockets.length, 0, 'its page does it');
  startBackgroundOutboxes();
  stopBackgroundOutbox('r');
  assert.equal(sockets[0].readyState, 3);
  assert.equal(loadPendingActions('r').length, 1);
});

test('leaving that was not confirmed is sent, after what was written before it', () => {
  start();
  savePendingMessages('r', [{ clientId: 'c1', content: 'bye', reply: null, at: 0, failed: null }, { clientId: 'c2', content: 'no', at: 0, failed: 'too_long' }]);
  requestLeave('r');
  requestLeave('r');
  assert.deepEqual([isLeft('r'), loadPendingActions('r').length], [true, 1]);
  startBackgroundOutboxes();
  const [socket] = sockets;
  socket.opens(stated(true));
  assert.deepEqual(socket.sent.slice(1).map(({ action }) => action), ['send_message', 'find_next']);
  socket.hears({ action: 'new_message', message: { id: '1', seq: 1, sender_id: 'me', content: 'bye', client_id: 'c1' } });
  // The line dies before the server has confirmed it.
  socket.readyState = 3;
  socket.onclose({ code: 1006 });
  assert.equal(isLeft('r'), true);
  stopBackgroundOutbox('r');
  startBackgroundOutboxes();
  const again = sockets.at(-1);
  again.opens(stated(true));
  assert.deepEqual(again.sent.slice(1).map(({ action }) => action), ['find_next']);
  again.hears({ action: 'user_left', user_id: 'me', reason: 'left', seq: 2 });
  assert.deepEqual([isLeft('r'), again.readyState], [false, 3]);
  savePendingMessages('r', []);
});

test('what was written stays unsent in a room that is not left', () => {
  start({ kind: 'delete', id: '3' });
  savePendingMessages('r', [{ clientId: 'c1', content: 'later', reply: null, at: 0, failed: null }]);
  startBackgroundOutboxes();
  sockets[0].opens(stated(true));
  assert.deepEqual(sockets[0].sent.slice(1).map(({ action }) => action), ['delete_message']);
  sockets[0].hears({ action: 'message_deleted', message_id: '3' });
  assert.equal(loadPendingMessages('r').length, 1);
  savePendingMessages('r', []);
});

test('what a closed tab could not send is sent by the next page of ours', () => {
  start({ kind: 'delete', id: '3' }, { kind: 'leave' });
  handOverActions();
  // Another tab: it has never been in that room.
  tab.clear();
  startBackgroundOutboxes();
  const [socket] = sockets;
  socket.opens(stated(true));
  assert.equal(socket.sent[0].token, 'secret');
  assert.deepEqual(socket.sent.slice(1).map(({ action }) => action), ['find_next'], 'the rest was of that tab alone');
  socket.hears({ action: 'user_left', user_id: 'me', reason: 'left', seq: 1 });
  handOverActions();
  assert.equal(local.get('owed'), null, 'nothing is kept that is done');
  local.set('owed', [{ roomId: 'r', at: 0, side: {}, deeds: [{ kind: 'leave' }] }]);
  startBackgroundOutboxes();
  assert.equal(sockets.length, 1, 'not after days');
});
