// Calling a person who looks elsewhere: what counts as elsewhere, and how
// sparingly a sound is made. That it is heard is a browser test.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { installPage } from './page.mjs';
import './words.mjs';

installPage();
const listeners = {};
const listen = (name, listener) => (listeners[name] ??= []).push(listener);
const happens = (name) => listeners[name].forEach((listener) => listener());
let focused = true;
const icon = { href: 'http://h/static/x/images/favicon.svg', dataset: {} };
Object.assign(document, { title: '秘語', addEventListener: listen, hasFocus: () => focused, querySelector: () => icon });
globalThis.addEventListener = listen;

const badges = [];
const notices = [];
const registration = {
  showNotification: async (words, { tag }) => void notices.push({ words, tag, close: () => notices.pop() }),
  getNotifications: async ({ tag }) => notices.filter((it) => it.tag === tag),
};
Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { setAppBadge: async (count) => void badges.push(count), serviceWorker: { getRegistration: async () => registration } } });
globalThis.isSecureContext = true;
globalThis.Notification = class {
  static permission = 'granted';
  constructor() {
    throw new TypeError('Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.');
  }
};

const tones = [];
let running = true;
let resume = async () => {};
globalThis.AudioContext = class {
  get state() { return running ? 'running' : 'suspended'; }
  currentTime = 0;
  destination = {};
  resume = () => resume();
  createOscillator = () => ({ frequency: {}, connect: (next) => next, start() { tones.push(this.frequency.value); }, stop() {} });
  createGain = () => ({ gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (next) => next });
};
mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000_000 });
mock.method(performance, 'now', () => Date.now());

const { alertMeeting, alertMessage, countUnread, setTitle } = await import('../../assets/js/ui/alerts.js');
const { setLanguage, t } = await import('../../assets/js/lib/i18n.js');
setLanguage('en');
const { notifications, sound } = await import('../../assets/js/lib/settings.js');

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => { made.resolve = resolve; });
  return made;
}

beforeEach(() => {
  mock.timers.tick(60_000);
  Object.assign(document, { hidden: false });
  focused = true;
  happens('focus');
  sound.set(true);
  tones.length = 0;
});

test('the title counts in a window behind another, until it has the focus again', () => {
  setTitle('Bao');
  countUnread(1);
  assert.equal(document.title, 'Bao');
  focused = false;
  countUnread(2);
  countUnread(1);
  assert.equal(document.title, '(3) Bao');
  happens('visibilitychange');
  assert.equal(document.title, '(3) Bao', 'to be seen is not to be looked at');
  setTitle('Bao · 秘語');
  assert.equal(document.title, '(3) Bao · 秘語');
  focused = true;
  happens('focus');
  assert.equal(document.title, 'Bao · 秘語');
});

test('a message sounds when the page is hidden, or was left alone for ten seconds', () => {
  happens('pointerdown');
  mock.timers.tick(9999);
  alertMessage();
  assert.deepEqual(tones, []);
  mock.timers.tick(1);
  alertMessage();
  assert.equal(tones.length, 1);
  happens('keydown');
  mock.timers.tick(5000);
  document.hidden = true;
  alertMessage();
  assert.equal(tones.length, 2);
});

test('many messages sound once in three seconds', () => {
  document.hidden = true;
  alertMessage();
  mock.timers.tick(2999);
  alertMessage();
  assert.equal(tones.length, 1);
  mock.timers.tick(1);
  alertMessage();
  assert.equal(tones.length, 2);
});

test('a sound waits for the start that a press has just asked for', async () => {
  const started = withResolvers();
  running = false;
  resume = () => started.promise;
  happens('pointerup');
  document.hidden = true;
  alertMessage();
  assert.deepEqual(tones, []);
  running = true;
  started.resolve();
  await started.promise;
  assert.equal(tones.length, 1);
});

test('nothing sounds while sound is off', () => {
  sound.set(false);
  document.hidden = true;
  alertMessage();
  alertMeeting();
  assert.deepEqual(tones, []);
});

test('the icon of the tab says that something came, until it is looked at', () => {
  focused = false;
  countUnread(1);
  assert.match(icon.href, /\/favicon-new\.svg$/);
  focused = true;
  happens('focus');
  assert.match(icon.href, /\/favicon\.svg$/);
});

test('the number on an installed icon is that of the title, and said once', () => {
  badges.length = 0;
  focused = false;
  countUnread(2);
  setTitle('Bao');
  countUnread(1);
  focused = true;
  happens('focus');
  happens('focus');
  assert.deepEqual(badges, [2, 3, 0]);
});

test('where only a service worker may notify, it does, once, until the page is looked at', async () => {
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  notifications.set(true);
  document.hidden = true;
  alertMessage();
  alertMessage();
  await settled();
  assert.equal(notices.length, 1);
  assert.equal(notices[0].words, t('notify.message'));
  document.hidden = false;
  happens('focus');
  await settled();
  assert.deepEqual(notices, []);
  notifications.set(false);
});
