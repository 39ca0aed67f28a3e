// The page's side of the service worker: asks for it where the operator wants one and
// the browser allows it (over https, or on this machine), and takes it away where not.

import { outdated } from '../model/worker-rules.js';
import { local } from './storage.js';

const address = '/sw.js';
const lookEvery = 1000;

const isWanted = () => document.querySelector('meta[name="worker"]')?.content === 'on';
const isShell = () => document.documentElement.dataset.shell !== undefined;

/** Called once by each page. One that may come from the shell says when a server has answered it. */
export function startWorker(back = null) {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  if (!isWanted()) {
    // What cannot be taken away now takes itself away, the next time that the browser asks for it.
    takeAway(serviceWorker).catch(() => {});
    return;
  }
  if (back && isShell()) followServer(serviceWorker, back);
  // A browser that keeps nothing of this site keeps no worker either, and complains of being asked.
  if (!local.keeps()) return;
  // Where a browser refuses, pages are as they are without one.
  whenCalm(() => register(serviceWorker).catch(() => {}));
}

const register = async (serviceWorker) => serviceWorker.register(trusted(), { type: 'module' });

/** The one script that the content policy lets a page name by a text. */
function trusted() {
  const createScriptURL = (url) => {
    if (url === address) return url;
    throw new TypeError('not the worker');
  };
  return globalThis.trustedTypes?.createPolicy('worker', { createScriptURL }).createScriptURL(address) ?? address;
}

async function takeAway(serviceWorker) {
  const registration = await serviceWorker.getRegistration();
  if (!registration) return;
  await registration.unregister();
  await Promise.all(outdated(await caches.keys(), null).map((name) => caches.delete(name)));
}

/** What the page needs comes first: the shell is fetched when nothing else is. */
function whenCalm(then) {
  const soon = () => (globalThis.requestIdleCallback ?? setTimeout)(then);
  if (document.readyState === 'complete') soon();
  else addEventListener('load', soon, { once: true });
}

/**
 * This page came from the shell. The server that is back may be newer: then its worker takes over, and its
 * page comes as soon as nothing is being typed. What was written is kept by the tab.
 */
async function followServer(serviceWorker, back) {
  serviceWorker.addEventListener('controllerchange', reloadWhenCalm);
  await back;
  const registration = await serviceWorker.getRegistration();
  await registration?.update().catch(() => {});
}

function reloadWhenCalm() {
  const { activeElement } = document;
  const isTyping = !document.hidden && Boolean(activeElement?.matches('input, textarea') && activeElement.value !== '');
  if (isTyping) setTimeout(reloadWhenCalm, lookEvery);
  else location.reload();
}
