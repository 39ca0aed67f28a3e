// The service worker: pages come from the server, and from the shell only where no
// server answers; files that are named by their content may come from a copy. What
// is decided by rules is in model/worker-rules.js. It keeps the shell's two pages
// and their files, nothing that says anything about a person.

import { cacheName, callWords, callWordsCache, noticeTag, outdated } from '../model/worker-rules.js';
import { asShell, chatPage, filesOf, isFile, kindOf, noticeOf, shellFor, shellPages, standsIn, unnamedFiles } from '../model/worker-shell.js';

// A copy is found whatever the browser's headers were: there is one of each.
const anyCopy = { ignoreVary: true };
const filesAtOnce = 6;

/** Runs as the worker of the version whose files are below `base`. */
export function serve(base) {
  const name = cacheName(base);
  const own = { origin: self.location.origin, base };

  self.addEventListener('install', (event) => event.waitUntil(install()));
  self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
  self.addEventListener('fetch', (event) => {
    const kind = kindOf(event.request, own);
    if (kind === 'page') event.respondWith(page(event));
    else if (kind === 'file') event.respondWith(file(event.request));
  });
  self.addEventListener('push', (event) => event.waitUntil(called(event.data?.text() ?? '')));
  self.addEventListener('notificationclick', (event) => {
    event.notification.close();
    event.waitUntil(comeBack(event.notification.data?.leads));
  });

  /** The browser's push service calls. A page that is looked at says it by itself. */
  async function called(call) {
    const windows = await self.clients.matchAll({ type: 'window' });
    if (windows.some((it) => it.focused && shellFor(it.url) === chatPage)) return;
    const words = await caches.match(callWords, { cacheName: callWordsCache }).then((kept) => kept?.json()).catch(() => null);
    const { title, body, lang, leads } = noticeOf(call, words ?? null);
    const icon = `${base}/images/icon-192.png`;
    await self.registration.showNotification(title, { body, lang, icon, badge: icon, tag: noticeTag, renotify: true, data: { leads } });
    // Of a site that is not installed it is refused, or does nothing.
    await self.navigator.setAppBadge?.().catch(() => {});
  }

  /** The shell is whole or not there: a page without one of its files would be a blank one. */
  async function install() {
    await keepShell();
    await self.skipWaiting();
  }

  async function keepShell() {
    const cache = await caches.open(name);
    const files = new Set(unnamedFiles(base));
    for (const path of shellPages) {
      for (const named of await keepPage(cache, path, await fetch(path, { cache: 'no-cache' }))) files.add(named);
    }
    const missing = [];
    for (const path of files) if (!(await cache.match(path, anyCopy))) missing.push(path);
    for (let at = 0; at < missing.length; at += filesAtOnce) await Promise.all(missing.slice(at, at + filesAtOnce).map((path) => keepFile(cache, path)));
  }

  async function keepFile(cache, path) {
    const answer = await fetch(path);
    const type = answer.headers.get('content-type');
    if (!isFile(answer.ok, type)) throw new Error(`${path}: ${answer.status} ${type}`);
    await cache.put(path, answer);
  }

  async function takeOver() {
    await forgetCaches(base);
    // Asks the server while the worker itself still starts.
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  }

  /** To the conversation where it is open, else to a page of ours, else to a new one. */
  async function comeBack(leads) {
    const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    // What a call is about is behind another page than the one that happens to be open.
    const chat = windows.find((it) => shellFor(it.url) === chatPage) ?? (leads ? undefined : windows[0]);
    await (chat ? chat.focus() : self.clients.openWindow(leads ?? chatPage));
  }

  async function page(event) {
    const copy = () => caches.match(shellFor(event.request.url), { cacheName: name, ...anyCopy });
    let answer;
    try {
      answer = (await event.preloadResponse) ?? (await fetch(event.request));
    } catch (error) {
      const kept = await copy();
      if (kept) return kept;
      throw error;
    }
    const spoken = answer.headers.get('content-language');
    if (standsIn(answer.status, answer.headers.get('content-type'), spoken)) return (await copy()) ?? answer;
    // What is not renewed now is, with the next page.
    if (spoken) event.waitUntil(speak(spoken).catch(() => {}));
    return answer;
  }

  /** The shell is in the language of the pages: another one was chosen. */
  async function speak(language) {
    const kept = await caches.match(chatPage, { cacheName: name, ...anyCopy });
    if (kept && kept.headers.get('content-language') !== language) await keepShell();
  }

  async function file(request) {
    const copy = await caches.match(request, { cacheName: name, ...anyCopy });
    return copy ?? fetch(request);
  }

  /** Resolves to the files that the page names. One of another version is not kept: its files are not here. */
  async function keepPage(cache, path, answer) {
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    const html = await answer.text();
    const files = filesOf(html, base);
    if (files.length === 0) throw new Error(`${path}: not of this version`);
    await cache.put(path, new Response(asShell(html), { headers: keptHeaders(answer.headers) }));
    return files;
  }
}

/** The copy is as strict as the page: it has its content policy, and none of what was meant for the way. */
function keptHeaders(headers) {
  const kept = ['content-type', 'content-language', 'content-security-policy', 'referrer-policy', 'permissions-policy', 'x-content-type-options', 'x-frame-options', 'cross-origin-opener-policy'];
  return kept.flatMap((key) => (headers.has(key) ? [[key, headers.get(key)]] : []));
}

async function forgetCaches(base) {
  await Promise.all(outdated(await caches.keys(), base).map((old) => caches.delete(old)));
}

/** Runs where the operator wants no worker: takes itself and all it kept away. */
export function leave() {
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('activate', (event) => event.waitUntil(forgetCaches(null).then(() => self.registration.unregister())));
}
