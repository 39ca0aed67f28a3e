// What the service worker does with a request, and what it keeps: pure, so that it is
// tested without a browser. The worker itself is worker/worker.js.

/** What a call may say; anything else is not ours. */
const calls = ['someone', 'message', 'left'];

/**
 * The notification of a call. Without words of the pages it says the site's name alone: a browser wants to see one.
 * @param {string} call @param {Record<string, string> | null} words
 */
export function noticeOf(call, words) {
  const known = calls.includes(call) ? call : 'message';
  return { title: words?.[known] ?? '秘語', body: words?.name ?? '', lang: words?.lang ?? '', leads: known === 'left' ? '/' : chatPage };
}

/** The address of the page that stands in for all others. */
export const offlinePage = '/offline/';
export const chatPage = '/chat/';

/** The pages that are there without a server. */
export const shellPages = [chatPage, offlinePage];

/**
 * @typedef {object} Asked what a request looks like
 * @property {string} method
 * @property {string} mode
 * @property {string} url
 */

/**
 * `page`: the network is asked first, and the shell is shown where nothing answers. `file`: named by its
 * content, so that a copy is as good. `other` (the API, sockets, files of another version, the operators'
 * console) is none of the worker's business.
 * @param {Asked} asked @param {{ origin: string, base: string }} own
 * @returns {'page' | 'file' | 'other'}
 */
export function kindOf({ method, mode, url }, { origin, base }) {
  const address = new URL(url);
  if (method !== 'GET' || address.origin !== origin) return 'other';
  if (mode === 'navigate') return /^\/admin(\/|$)/.test(address.pathname) ? 'other' : 'page';
  return address.pathname.startsWith(`${base}/`) ? 'file' : 'other';
}

/**
 * The page of the shell that is shown for an address: a conversation can be written in, all else waits.
 * @param {string} url
 */
export function shellFor(url) {
  const { pathname } = new URL(url);
  return pathname === chatPage || pathname === '/chat' ? chatPage : offlinePage;
}

/**
 * Whether an answer to a navigation is what stands between here and a server that is not there. What our own
 * server says is shown, whatever it says: a problem, or a page, and each of its pages names its language. Some
 * proxies know of nothing while a server is replaced. What else one says may be a question to its person.
 * @param {number} status @param {string | null} type its Content-Type @param {string | null} language its Content-Language
 */
export function standsIn(status, type, language) {
  if (language || (type ?? '').startsWith('application/problem+json')) return false;
  return status >= 500 || status === 404 || status === 410;
}

/**
 * Whether an answer is a file of ours: what a portal or a proxy says in its place is a page. Kept under the name of
 * a file it would be what that file is, for as long as this version lasts.
 * @param {boolean} ok @param {string | null} type its Content-Type
 */
export const isFile = (ok, type) => ok && Boolean(type) && !/^text\/html\b/i.test(type ?? '');

/**
 * The files that a page of this version names, each once. Empty: it is a page of another version, or none of ours.
 * @param {string} html @param {string} base
 */
export function filesOf(html, base) {
  const named = [...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  const isOurs = named.length > 0 && named.every((path) => path.startsWith(`${base}/`));
  return isOurs ? [...new Set(named)] : [];
}

const avatars = 20;
// Loaded when a conversation is saved, which needs no server.
const lateFiles = ['js/ui/transcript-sheet.js', 'js/model/transcript.js'];

/**
 * Files that pages ask for without naming them: what is loaded late, and all avatars, so that what is kept says
 * nothing of who was met.
 * @param {string} base
 */
export const unnamedFiles = (base) => [...Array.from({ length: avatars }, (_, at) => `images/avatars/${at + 1}.svg`), ...lateFiles].map((path) => `${base}/${path}`);

/**
 * The page as the shell keeps it: it can tell that no server gave it.
 * @param {string} html
 */
export const asShell = (html) => html.replace(/<html /, '<html data-shell ');
