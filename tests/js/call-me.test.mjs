// Being called: what stands in the way, the subscription, and what is said on a socket.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import './words.mjs';
import { callMe, forgetSearchName, isOn, letNoCallReach, obstacle, searchName, subscribe, unsubscribe, wanted } from '../../assets/js/lib/call-me.js';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { callWords, callWordsCache } from '../../assets/js/model/worker-rules.js';

const key = 'BAEC';
const keyBytes = new Uint8Array([4, 1, 2]).buffer;
const push = { key, call_for_ms: 900_000 };
const site = { name: '秘語', push };

let subscription; // the browser's, or null
let unsubscribed;
let kept;

const subscriptionFor = (bytes) => ({
  options: { applicationServerKey: bytes },
  toJSON: () => ({ endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } }),
  unsubscribe: async () => {
    unsubscribed += 1;
    subscription = null;
  },
});

beforeEach(() => {
  subscription = null;
  unsubscribed = 0;
  kept = new Map();
  wanted.set(false);
  forgetSearchName();
  setLanguage('zh-TW');
  const pushManager = {
    getSubscription: async () => subscription,
    subscribe: async (options) => {
      assert.deepEqual(options, { userVisibleOnly: true, applicationServerKey: key });
      return (subscription = subscriptionFor(keyBytes));
    },
  };
  const registration = { pushManager };
  const navigator = { serviceWorker: { ready: Promise.resolve(registration), getRegistration: async () => registration } };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  globalThis.isSecureContext = true;
  globalThis.PushManager = class {};
  globalThis.Notification = { permission: 'granted' };
  globalThis.caches = { open: async (name) => ({ put: async (path, answer) => void kept.set(`${name} ${path}`, await answer.json()) }) };
});

test('what stands in the way has a name, and a site that calls no one says nothing', () => {
  assert.equal(obstacle(push), null);
  assert.equal(obstacle(null), 'site');
  globalThis.Notification.permission = 'denied';
  assert.equal(obstacle(push), 'refused');
  delete globalThis.PushManager;
  assert.equal(obstacle(push), 'browser');
  globalThis.isSecureContext = false;
  assert.equal(obstacle(push), 'http');
});

test('it is on when the person wants it and the browser still lets us', () => {
  assert.equal(isOn(push), false);
  wanted.set(true);
  assert.equal(isOn(push), true);
  assert.equal(isOn(null), false);
  globalThis.Notification.permission = 'default';
  assert.equal(isOn(push), false);
});

test('a browser subscribes once for a key, and anew for another one', async () => {
  const first = await subscribe(push);
  assert.equal(first.endpoint, 'https://push.example/1');
  const same = subscription;
  await subscribe(push);
  assert.equal(subscription, same);
  subscription = subscriptionFor(new Uint8Array([9]).buffer);
  await subscribe(push);
  assert.equal(unsubscribed, 1);
});

test('a socket is told only where it is on, and the worker is left the words', async () => {
  const sent = [];
  const send = (frame) => sent.push(frame);
  await callMe(site, send);
  assert.deepEqual(sent, []);
  wanted.set(true);
  await callMe(site, send);
  assert.deepEqual(sent, [{ action: 'call_me', subscription: { endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } } }]);
  assert.deepEqual(kept.get(`${callWordsCache} ${callWords}`), { name: '秘語', lang: 'zh-TW', someone: '有人來了', message: '有新訊息', left: '對方離開了' });
});

test('switched off nothing of it is left in the browser', async () => {
  await subscribe(push);
  wanted.set(true);
  await unsubscribe();
  assert.deepEqual([wanted.get(), subscription], [false, null]);
});

test('for now no call reaches the browser, and the next search is called again', async () => {
  await subscribe(push);
  wanted.set(true);
  await letNoCallReach();
  assert.deepEqual([wanted.get(), subscription, unsubscribed], [true, null, 1]);
  await subscribe(push);
  assert.notEqual(subscription, null);
});

test('a search has one name until a partner is found', () => {
  const name = searchName();
  assert.match(name, /^[A-Za-z0-9_-]{1,50}$/);
  assert.equal(searchName(), name);
  forgetSearchName();
  assert.notEqual(searchName(), name);
});
