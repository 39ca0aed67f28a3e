// The service worker: what it does with each request, what it keeps, and how one
// version takes over from another. Its rules alone, then the worker on fake caches.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { cacheName, callWords, callWordsCache, outdated } from '../../assets/js/model/worker-rules.js';
import { asShell, filesOf, isFile, kindOf, shellFor, standsIn } from '../../assets/js/model/worker-shell.js';
import { leave, serve } from '../../assets/js/worker/worker.js';

const origin = 'http://127.0.0.1:8000';
const base = '/static/00000000000000aa';
const newer = '/static/00000000000000bb';
const own = { origin, base };

test('pages are asked of the network, files of this version may be copies, and nothing else is touched', () => {
  const kind = (path, mode = 'cors', method = 'GET') => kindOf({ method, mode, url: new URL(path, origin).href }, own);
  for (const path of ['/', '/chat/', '/chat/?match=1', '/nothing', '/api/site']) assert.equal(kind(path, 'navigate'), 'page', path);
  // The console is nothing to be kept, nor to be stood in for.
  for (const path of ['/admin/', '/admin']) assert.equal(kind(path, 'navigate'), 'other', path);
  assert.equal(kind('/administrators', 'navigate'), 'page');
  assert.equal(kind(`${base}/css/base.css`), 'file');
  for (const path of [`${newer}/css/base.css`, '/static/css/base.css', '/api/rooms/', '/api/site', '/invitation.svg', '/manifest.webmanifest', '/sw.js', `${base}0/css/base.css`]) assert.equal(kind(path), 'other', path);
  assert.equal(kind('https://elsewhere.example/', 'navigate'), 'other');
  assert.equal(kind(`https://elsewhere.example${base}/a.css`), 'other');
  assert.equal(kind('/chat/', 'navigate', 'POST'), 'other');
});

test('a conversation has a page of its own without a server, all else waits', () => {
  for (const path of ['/chat/', '/chat', '/chat/?match=1', '/chat/?room=0190']) assert.equal(shellFor(origin + path), '/chat/', path);
  for (const path of ['/', '/?guest', '/nothing', '/chat/more']) assert.equal(shellFor(origin + path), '/offline/', path);
});

test('what our server says is shown, and what a proxy says in its place is not', () => {
  for (const [status, type] of [[502, 'text/html'], [504, null], [503, 'text/plain; charset=utf-8'], [521, 'text/html'], [404, 'text/plain'], [404, 'text/html'], [410, null]]) assert.ok(standsIn(status, type, null), `${status}`);
  for (const [status, type] of [[200, 'text/html'], [0, null], [304, null], [429, 'application/problem+json'], [503, 'application/problem+json'], [404, 'application/problem+json']]) assert.ok(!standsIn(status, type, null), `${status} ${type}`);
  // Our own page about an address that is none says in which language.
  assert.ok(!standsIn(404, 'text/html; charset=utf-8', 'en'));
  // A log-in, or a question whether one is a person.
  for (const status of [401, 403]) assert.ok(!standsIn(status, 'text/html', null), `${status}`);
});

test('a page is no file, whoever says it', () => {
  for (const type of ['text/css', 'text/javascript; charset=utf-8', 'image/svg+xml', 'application/json']) assert.ok(isFile(true, type), type);
  for (const [ok, type] of [[true, 'text/html; charset=utf-8'], [true, 'Text/HTML'], [true, null], [false, 'text/css']]) assert.ok(!isFile(ok, type), `${ok} ${type}`);
});

test('only the caches of other versions go, and with the worker all of its own', () => {
  const names = [cacheName(base), cacheName(newer), 'an-operators-own'];
  assert.notEqual(names[0], names[1]);
  assert.deepEqual(outdated(names, newer), [cacheName(base)]);
  assert.deepEqual(outdated(names, null), [cacheName(base), cacheName(newer)]);
});

const html = (of) => `<!doctype html>\n<html lang="en"><link href="${of}/css/base.css"><script src="${of}/js/early.js"></script><script src="${of}/js/early.js"></script></html>`;

test('the files of a page are those of this version, or the page is none', () => {
  assert.deepEqual(filesOf(html(base), base), [`${base}/css/base.css`, `${base}/js/early.js`]);
  assert.deepEqual(filesOf(html(newer), base), []);
  assert.deepEqual(filesOf(html(base) + html(newer), base), []);
  assert.deepEqual(filesOf('<html lang="en">Log in to the hotel</html>', base), []);
  assert.match(asShell(html(base)), /<html data-shell lang="en">/);
});

// As much of a worker's world as ours uses.

let stored; // cache name -> Map of path -> Response
let server; // path -> Response, or throws
let asked; // of the network
let listeners;
let claimed;
let unregistered;
let windows;
let focused;
let shown; // notifications
let badges;

const pathOf = (request) => {
  const url = new URL(typeof request === 'string' ? request : request.url, origin);
  return url.pathname + url.search;
};

async function network(request) {
  const path = pathOf(request);
  asked.push(path);
  return server(path);
}

function cacheOf(name) {
  if (!stored.has(name)) stored.set(name, new Map());
  const map = stored.get(name);
  return {
    put: async (path, answer) => void map.set(path, answer),
    match: async (request) => map.get(pathOf(request))?.clone(),
  };
}

beforeEach(() => {
  stored = new Map();
  asked = [];
  listeners = {};
  claimed = unregistered = 0;
  windows = [];
  focused = [];
  shown = [];
  badges = [];
  server = (path) => answerOf(base, path);
  globalThis.fetch = network;
  globalThis.caches = {
    open: async (name) => cacheOf(name),
    match: async (request, { cacheName: name }) => (stored.has(name) ? cacheOf(name).match(request) : undefined),
    keys: async () => [...stored.keys()],
    delete: async (name) => stored.delete(name),
  };
  globalThis.self = {
    location: { origin },
    registration: {
      navigationPreload: { enable: async () => {} },
      unregister: async () => void (unregistered += 1),
      showNotification: async (title, options) => void shown.push({ title, ...options }),
    },
    navigator: { setAppBadge: async () => void badges.push(true) },
    clients: { claim: async () => void (claimed += 1), matchAll: async () => windows, openWindow: async (path) => void focused.push(path) },
    skipWaiting: async () => {},
    addEventListener: (name, listener) => (listeners[name] = listener),
  };
});

/** What a server of this version answers. */
function answerOf(version, path, words = path, language = 'en') {
  if (path.startsWith('/static/')) return new Response(path, { headers: { 'content-type': 'text/css' } });
  if (path.startsWith('/api/')) return new Response('{}', { headers: { 'content-type': 'application/json' } });
  return new Response(html(version) + words, { headers: { 'content-type': 'text/html', 'content-language': language, 'content-security-policy': 'strict', 'cache-control': 'private, no-cache' } });
}

const goneServer = () => {
  throw new TypeError('Failed to fetch');
};

async function happens(name) {
  const waits = [];
  listeners[name]({ waitUntil: (promise) => waits.push(promise) });
  await Promise.all(waits);
}

/** What the worker answers; null: it leaves the request to the browser. */
async function ask(path, { mode = 'cors', method = 'GET', preload = undefined } = {}) {
  let answer = null;
  const waits = [];
  const request = { method, mode, url: new URL(path, origin).href };
  listeners.fetch({ request, preloadResponse: Promise.resolve(preload), respondWith: (promise) => (answer = promise), waitUntil: (promise) => waits.push(promise) });
  const response = await answer;
  await Promise.all(waits);
  return response;
}

const go = (path, options) => ask(path, { mode: 'navigate', ...options });

async function start(version = base) {
  serve(version);
  await happens('install');
  await happens('activate');
}

test('without a server there is a page, with its files and its content policy', async () => {
  await start();
  server = goneServer;
  asked = [];
  const chat = await go('/chat/');
  assert.match(await chat.text(), /data-shell.*\/chat\//s);
  assert.equal(chat.headers.get('content-security-policy'), 'strict');
  assert.equal(chat.headers.get('cache-control'), null);
  assert.match(await (await go('/')).text(), /\/offline\//);
  assert.equal(await (await ask(`${base}/css/base.css`)).text(), `${base}/css/base.css`);
  for (const number of [1, 20]) assert.ok(await ask(`${base}/images/avatars/${number}.svg`), 'whose avatar was seen is not told by what is kept');
  assert.deepEqual(asked, ['/chat/', '/'], 'files come from the copy, pages are asked for first');
});

test('with a server pages are the server’s, each time', async () => {
  await start();
  server = (path) => answerOf(base, path, 'as of now');
  assert.match(await (await go('/')).text(), /as of now/);
  assert.match(await (await go('/chat/')).text(), /as of now/);
  assert.doesNotMatch(await (await go('/chat/')).text(), /data-shell/);
  assert.match(await (await go('/chat/', { preload: answerOf(base, '/chat/', 'asked for early') })).text(), /asked for early/);
});

test('the shell speaks the language that pages spoke last', async () => {
  await start();
  asked = [];
  server = (path) => answerOf(base, path, `${path} auf Deutsch`, 'de');
  await go('/');
  await go('/');
  assert.deepEqual(asked, ['/', '/chat/', '/offline/', '/'], 'renewed once, and no file that is there already');
  server = goneServer;
  assert.match(await (await go('/chat/')).text(), /auf Deutsch/);
  assert.match(await (await go('/')).text(), /offline\/ auf Deutsch/);
});

test('a proxy whose server is away is not believed, our own refusal is', async () => {
  await start();
  server = () => new Response('Bad Gateway', { status: 502, headers: { 'content-type': 'text/html' } });
  assert.match(await (await go('/chat/')).text(), /data-shell/);
  server = () => new Response('no such backend', { status: 404, headers: { 'content-type': 'text/plain' } });
  assert.match(await (await go('/chat/')).text(), /data-shell/);
  server = () => new Response('No such page', { status: 404, headers: { 'content-type': 'text/html', 'content-language': 'en' } });
  assert.equal((await go('/nothing')).status, 404);
  server = () => new Response('{}', { status: 503, headers: { 'content-type': 'application/problem+json' } });
  assert.equal((await go('/chat/')).status, 503);
});

test('nothing of a person is kept', async () => {
  await start();
  assert.equal(await ask('/api/rooms/'), null);
  await go('/api/site');
  await go('/chat/?room=0190&token=x');
  await go('/');
  const kept = [...stored.values()].flatMap((map) => [...map.keys()]);
  assert.deepEqual(kept.filter((path) => !path.startsWith(`${base}/`)).sort(), ['/chat/', '/offline/']);
});

test('a new version takes over whole, and the old one goes', async () => {
  await start();
  // The page of the newer server is shown, and not kept by a worker that has not its files.
  server = (path) => answerOf(newer, path);
  assert.match(await (await go('/chat/')).text(), /00bb/);
  assert.equal(await ask(`${newer}/css/base.css`), null);
  server = goneServer;
  assert.match(await (await go('/chat/')).text(), /00aa/);

  server = (path) => answerOf(newer, path);
  await start(newer);
  assert.deepEqual([...stored.keys()], [cacheName(newer)]);
  assert.equal(claimed, 2);
  server = goneServer;
  assert.match(await (await go('/chat/')).text(), /00bb/);
});

test('a shell that cannot be had whole is not begun, and the old one stays', async () => {
  await start();
  for (const broken of [
    // A portal that lets some addresses through: what it says in a file’s place is not that file.
    (path) => (path.endsWith('early.js') ? new Response('<html lang="en">Log in to the hotel</html>', { headers: { 'content-type': 'text/html' } }) : answerOf(newer, path)),
    (path) => (path.endsWith('base.css') ? new Response('', { status: 429 }) : answerOf(newer, path)),
    // A server between two versions, and a portal.
    (path) => answerOf(base, path),
    () => new Response('<html lang="en">Log in to the hotel</html>'),
  ]) {
    // What came whole before it was broken may stay.
    stored.delete(cacheName(newer));
    serve(newer);
    server = broken;
    await assert.rejects(happens('install'));
  }
  assert.ok(stored.has(cacheName(base)));
});

test('where the operator wants no worker it takes itself and what it kept away', async () => {
  await start();
  stored.set('an-operators-own', new Map());
  leave();
  await happens('install');
  await happens('activate');
  assert.deepEqual([...stored.keys()], ['an-operators-own']);
  assert.equal(unregistered, 1);
});

test('a notification that is pressed leads to the conversation, wherever it is open', async () => {
  await start();
  const press = async () => {
    const waits = [];
    listeners.notificationclick({ notification: { close: () => focused.push('closed') }, waitUntil: (promise) => waits.push(promise) });
    await Promise.all(waits);
    return focused.splice(0);
  };
  assert.deepEqual(await press(), ['closed', '/chat/']);
  const open = (path) => ({ url: origin + path, focus: async () => void focused.push(`window ${path}`) });
  windows = [open('/'), open('/chat/?match=1')];
  assert.deepEqual(await press(), ['closed', 'window /chat/?match=1']);
  windows = [open('/')];
  assert.deepEqual(await press(), ['closed', 'window /']);
});

/** The browser's push service calls with this. */
async function called(text) {
  const waits = [];
  listeners.push({ data: text === null ? null : { text: () => text }, waitUntil: (promise) => waits.push(promise) });
  await Promise.all(waits);
}

const words = { name: '秘語', lang: 'zh-TW', someone: '有人來了', message: '有新訊息', left: '對方離開了' };
const leaveWords = () => stored.set(callWordsCache, new Map([[callWords, new Response(JSON.stringify(words))]]));

test('a call says one of three things in the words of the pages, and that is all', async () => {
  await start();
  leaveWords();
  for (const [word, title] of [['someone', '有人來了'], ['message', '有新訊息'], ['left', '對方離開了']]) {
    await called(word);
    assert.deepEqual({ ...shown.pop(), icon: '', badge: '' }, { title, body: '秘語', lang: 'zh-TW', icon: '', badge: '', tag: 'miyu-someone', renotify: true, data: { leads: word === 'left' ? '/' : '/chat/' } });
  }
  assert.equal(badges.length, 3);
});

test('a call that is not ours, and one without words, shows something all the same', async () => {
  await start();
  for (const odd of ['<b>x</b>', '', null, '__proto__']) {
    await called(odd);
    assert.equal(shown.pop().title, '秘語');
  }
  leaveWords();
  await called('toString');
  assert.equal(shown.pop().title, '有新訊息');
});

test('who looks at the conversation is not called, who looks elsewhere is', async () => {
  await start();
  leaveWords();
  const open = (path, isFocused) => ({ url: origin + path, focused: isFocused });
  windows = [open('/chat/', true)];
  await called('message');
  assert.equal(shown.length, 0);
  for (windows of [[open('/chat/', false)], [open('/', true)], []]) await called('message');
  assert.equal(shown.length, 3);
});

test('the words of calls outlive a new version of the files', async () => {
  await start();
  leaveWords();
  server = (path) => answerOf(newer, path);
  await start(newer);
  await called('someone');
  assert.equal(shown[0].title, '有人來了');
});

test('a call that is pressed leads to the conversation, or home where it is over', async () => {
  await start();
  const press = async (leads) => {
    const waits = [];
    listeners.notificationclick({ notification: { close() {}, data: { leads } }, waitUntil: (promise) => waits.push(promise) });
    await Promise.all(waits);
    return focused.splice(0);
  };
  assert.deepEqual(await press('/'), ['/']);
  const open = (path) => ({ url: origin + path, focus: async () => void focused.push(`window ${path}`) });
  windows = [open('/')];
  assert.deepEqual(await press('/chat/'), ['/chat/']);
  windows = [open('/'), open('/chat/?match=1')];
  assert.deepEqual(await press('/chat/'), ['window /chat/?match=1']);
});
