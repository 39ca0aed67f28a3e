// The socket that comes back by itself: when it opens another connection, and when it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReconnectingSocket } from '../../assets/js/net/socket.js';

const listeners = {};
const target = {
  addEventListener: (name, listener) => (listeners[name] ??= new Set()).add(listener),
  removeEventListener: (name, listener) => listeners[name].delete(listener),
};
const happens = (name) => [...(listeners[name] ?? [])].forEach((listener) => listener());
Object.assign(globalThis, target, { document: { hidden: false, ...target }, location: new URL('https://example.test/chat/') });

const opened = [];
const sent = [];
globalThis.WebSocket = class {
  static CONNECTING = 0;
  static OPEN = 1;
  readyState = 0;
  constructor() {
    opened.push(this);
  }
  send(text) {
    sent.push(text);
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen();
  }
  closes(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
};

/** A socket that was open and is closed with this code. */
function closedWith(context, code) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  context.mock.method(Math, 'random', () => 0);
  opened.length = 0;
  const seen = [];
  const socket = new ReconnectingSocket({
    url: () => 'wss://example.test/ws/chat/',
    onFrame() {},
    onOpen: () => seen.push('open'),
    onLost: () => seen.push('lost'),
    onFinal: (final) => seen.push(final),
  });
  context.after(() => socket.close());
  opened[0].opens();
  opened[0].closes(code);
  return { socket, seen, passes: (ms) => context.mock.timers.tick(ms) };
}

test('a connection that broke is opened again at once', (context) => {
  const { seen, passes } = closedWith(context, 1006);
  passes(1);
  assert.deepEqual([seen, opened.length], [['open', 'lost'], 2]);
});

test('a code that is not known is no reason to hurry, nor to stay away', (context) => {
  const { passes } = closedWith(context, 4300);
  passes(299);
  assert.equal(opened.length, 1);
  passes(1);
  assert.equal(opened.length, 2);
});

test('a server that says later is left alone until then, whatever the page does', (context) => {
  const { seen, passes } = closedWith(context, 4200);
  for (const name of ['visibilitychange', 'online', 'pagehide', 'pageshow']) happens(name);
  passes(29_999);
  happens('visibilitychange');
  assert.deepEqual([seen, opened.length], [['open', 'lost'], 1]);
  passes(1);
  assert.equal(opened.length, 2);
  // The page is kept for the Back button while the next attempt is on its way: it is tried again.
  happens('pagehide');
  happens('pageshow');
  assert.equal(opened.length, 3);
});

test('a press is not put off by a server that says later', (context) => {
  const { socket } = closedWith(context, 4200);
  socket.reconnect();
  assert.equal(opened.length, 2);
});

test('a page that is looked at again does not wait for a lost connection', (context) => {
  const { seen } = closedWith(context, 1001);
  happens('visibilitychange');
  assert.deepEqual([seen, opened.length], [['open', 'lost'], 2]);
});

test('a refusal is final, also one that is not known, until a person asks again', (context) => {
  const { socket, seen, passes } = closedWith(context, 4150);
  happens('online');
  passes(600_000);
  assert.deepEqual([seen, opened.length], [['open', 4150], 1]);
  socket.revive();
  assert.equal(opened.length, 2);
});

test('a socket that is closed hears nothing of the page any more', (context) => {
  const { socket, passes } = closedWith(context, 1006);
  socket.close();
  happens('online');
  passes(60_000);
  assert.equal(opened.length, 1);
  assert.ok(Object.values(listeners).every((all) => all.size === 0));
});

test('a way that is blocked is tried when it can be known to be, not when a long pause ends', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  context.mock.method(Math, 'random', () => 1);
  let time = 0;
  context.mock.method(performance, 'now', () => time);
  opened.length = 0;
  const attempts = [];
  const socket = new ReconnectingSocket({ url: () => 'wss://example.test/ws/chat/', onFrame() {}, onOpen() {}, onLost() {}, onFinal() {} });
  context.after(() => socket.close());
  for (let seen = 0; time <= 9000; time += 100) {
    if (opened.length > seen) {
      attempts.push(time);
      seen = opened.length;
      opened.at(-1).closes(1006);
    }
    context.mock.timers.tick(100);
  }
  assert.deepEqual(attempts.map((at) => Math.round(at / 500) * 500), [0, 500, 1500, 3500, 7500, 8000]);
});

test('no frame has half a character, whatever text of it is cut', () => {
  const socket = new ReconnectingSocket({ url: () => 'wss://example.test/', onOpen() {}, onFrame() {}, onLost() {}, onFinal() {} });
  opened.at(-1).opens();
  socket.send({ action: 'start_matching', user_data: { nickname: 'Anna \ud83d', tags: ['\ude00', '😀'] } });
  assert.deepEqual(JSON.parse(sent.at(-1)).user_data, { nickname: 'Anna \ufffd', tags: ['\ufffd', '😀'] });
  assert.doesNotMatch(sent.at(-1), /\\ud/i);
  socket.close();
});
