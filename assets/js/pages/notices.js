// What this person was told of decisions, and by the site, as far as this page knows. What shows it is
// loaded when there is something to show (ui/notices.js).

import { local } from '../lib/storage.js';
import { monotonicNow, now } from '../lib/time.js';
import { hear, holds, latest, learn, noNotices, saysToAll, toRead } from '../model/notices.js';
import { getNotices } from '../net/http.js';

/** The close code of a browser that is banned. */
export const bannedCode = 4100;

let state = noNotices;
let isTold = local.get('told', false); // whether the server tells them
let asking = null;
let askedAt = -Infinity;
let shown = null;
const listeners = new Set();

/** Calls `listener` each time that something was told. */
export const onNotices = (listener) => void listeners.add(listener);

/** From now on this is what is known. */
function change(next) {
  if (next === state) return;
  state = next;
  if (state.list.length > 0) local.set('told', true);
  if (state.list.length > 0 || state.ban) show();
  for (const listener of listeners) listener();
}

/** What parts that are loaded later work with. */
export const noticeStore = { get: () => state, set: change, ask: () => askNotices() };

/** Opens one of them, which is read from then on; resolves to undefined where it cannot be shown. @param {import('../model/notices.js').Notice} notice */
export const lookAt = async (notice) => (await show())?.look(notice);

/** Resolves to what shows notices; null: it cannot be had just now. */
async function show() {
  shown ??= import('../ui/notices.js')
    .then(({ mountNotices }) => mountNotices(noticeStore))
    .catch(() => (shown = null));
  const loaded = await shown;
  loaded?.update();
  return loaded;
}

/** A socket has told this. */
export function takeNotice(raw) {
  change(hear(state, raw));
  // What holds after an appeal, or when something was lifted, is the server's to say.
  if (raw?.kind === 'lifted' || raw?.kind === 'outcome') askNotices();
}

/** Asks the server, unless it was asked within `patience` ms. Resolves when that is done. */
export async function askNotices(patience = 0) {
  if (!isTold || (!asking && monotonicNow() - askedAt < patience)) return;
  asking ??= ask().finally(() => (asking = null));
  await asking;
}

/** A socket is open again: words to all people that were taken back meanwhile were told to no one here. */
export const askWhatStands = () => saysToAll(state) && askNotices(15_000);

async function ask() {
  askedAt = monotonicNow();
  const asked = state;
  try {
    const told = await getNotices();
    change(learn(state, told, asked));
  } catch (error) {
    if (error.code === 'not_found') isTold = false;
  }
}

/** What the site says of itself is known: a server of before says nothing of maintenance, and tells no notices. */
export function followSite(site) {
  isTold = site.maintenance !== undefined;
}

/** Resolves to whether a search may begin: what has to be read before is shown. */
export const readFirst = async () => toRead(state).length === 0 || (await (await show())?.readFirst()) !== false;

export const isBanned = () => holds(state.ban, now());
export const isMuted = () => holds(state.mute, now());
/** Until when no new pairs are made, as a socket has told. */
export const maintenanceUntil = () => latest(state, 'maintenance', now())?.until ?? null;
export const hasOutcomes = () => state.list.some(({ kind }) => kind === 'outcome');

/** A page that may not search or talk leads to the one that says why. */
export const goToNotices = () => location.replace('/#notices');
