// A search whose end its server does not hear.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeElement, installPage } from './page.mjs';
import './words.mjs';

installPage();
const target = { addEventListener() {}, removeEventListener() {} };
Object.assign(document, { ...target, body: new FakeElement('body'), querySelector: () => null, querySelectorAll: () => [] });
Object.assign(globalThis, target, { location: new URL('https://chat.example/chat/?match=1') });
globalThis.WebSocket = class {
  static CONNECTING = 0;
  static OPEN = 1;
  readyState = 0;
  close() {}
};
const { wanted } = await import('../../assets/js/lib/call-me.js');
const { startSearch } = await import('../../assets/js/pages/search.js');

/** Cancels without a connection; resolves to what was done, in order. */
async function cancelled() {
  const did = [];
  const unsubscribe = async () => void did.push('unsubscribed');
  const registration = { pushManager: { getSubscription: async () => ({ unsubscribe }) } };
  Object.defineProperty(globalThis, 'navigator', { value: { serviceWorker: { getRegistration: async () => registration } }, configurable: true });
  await new Promise((resolve) => {
    const onCancel = () => resolve(did.push('home'));
    const none = () => {};
    const search = startSearch({ view: { update: none }, hasMet: false, getProfile: () => ({ tags: [], wish: 'all' }), getSite: () => ({ push: null, hours: null }), onFound: none, onRoom: none, onCancel });
    search.cancel();
  });
  return did;
}

test('nobody is called by it, where they wanted to be', async () => {
  wanted.set(true);
  assert.deepEqual(await cancelled(), ['unsubscribed', 'home']);
  assert.equal(wanted.get(), true, 'the next search may call');
  wanted.set(false);
  assert.deepEqual(await cancelled(), ['home']);
});
