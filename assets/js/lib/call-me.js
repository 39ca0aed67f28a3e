// Being called while the page is closed: what this browser allows, and how its
// push service calls it. Whether that is on is this person's; what a call says is
// the worker's. Where a conversation or a search has a socket, it sends `callMe`.

import { callWords, callWordsCache } from '../model/worker-rules.js';
import { language, t } from './i18n.js';
import { randomId } from './id.js';
import { flag } from './settings.js';
import { local } from './storage.js';

/** @typedef {import('../net/http.js').Push} Push */

const workerPatience = 5000;

/** Whether this person wants to be called. */
export const wanted = flag('callMe', false);

/**
 * What stands in the way, or null; 'site': the site calls no one, and nothing is said of it.
 * @param {Push | null | undefined} push
 */
export function obstacle(push) {
  if (!push) return 'site';
  if (!globalThis.isSecureContext) return 'http';
  if (!navigator.serviceWorker || !('PushManager' in globalThis) || !('Notification' in globalThis)) return 'browser';
  return Notification.permission === 'denied' ? 'refused' : null;
}

/** @param {Push | null | undefined} push */
export const isOn = (push) => wanted.get() && obstacle(push) === null && Notification.permission === 'granted';

/** @param {ArrayBuffer | null | undefined} key */
const base64url = (key) => btoa(String.fromCharCode(...new Uint8Array(key ?? new ArrayBuffer(0)))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

/** The worker is registered when a page is calm: soon, or never. */
async function registered() {
  const never = new Promise((_, reject) => setTimeout(reject, workerPatience, new Error('no worker')));
  return /** @type {Promise<ServiceWorkerRegistration>} */ (Promise.race([navigator.serviceWorker.ready, never]));
}

/**
 * The subscription of this browser, made anew where it is for another key: the site has moved to other data.
 * @param {Push} push
 */
export async function subscribe(push) {
  const { pushManager } = await registered();
  let subscription = await pushManager.getSubscription();
  if (subscription && base64url(subscription.options?.applicationServerKey) !== push.key) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: push.key });
  return subscription.toJSON();
}

/** Takes the subscription away: calls that are made with it reach no browser. */
export async function unsubscribe() {
  wanted.set(false);
  await letNoCallReach();
}

/** The same for now: the next search that wants to be called subscribes anew. */
export async function letNoCallReach() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
}

/** The worker has no words of its own: it says what the pages said last, in their language. */
export async function leaveWords(name) {
  const words = { name, lang: language(), someone: t('notify.someone'), message: t('notify.message'), left: t('notify.left') };
  const cache = await caches.open(callWordsCache);
  await cache.put(callWords, new Response(JSON.stringify(words)));
}

/**
 * Says on a socket that opened how this browser is called, if its person wants that.
 * @param {import('../net/http.js').Site} site @param {(frame: object) => boolean} send
 */
export async function callMe(site, send) {
  if (!isOn(site.push)) return;
  try {
    const subscription = await subscribe(/** @type {Push} */ (site.push));
    send({ action: 'call_me', subscription });
    await leaveWords(site.name);
  } catch {
    // The browser or its push service does not want to now: people are found as without it.
  }
}

/**
 * Who searches to be called is known by one name until found, so that a page that comes back takes the search over.
 * The name is another one for each partner.
 */
export const searchName = () => {
  const kept = local.get('callName');
  if (typeof kept === 'string') return kept;
  const fresh = randomId();
  local.set('callName', fresh);
  return fresh;
};

export const forgetSearchName = () => local.remove('callName');
