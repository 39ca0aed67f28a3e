// What this tab knows about its rooms: which one it shows, which side it is and
// by which token, what it looked like, what it wrote that is not acknowledged
// yet, what it asked for that is not confirmed yet, and an unfinished draft.
// Here and not in the address, which the browser's history keeps.

import { local, tab } from '../lib/storage.js';
import { deviceTime } from '../lib/time.js';
import { wellFormed } from '../model/text.js';

const keepRooms = 20;

export function rememberSide(roomId, side) {
  const sides = tab.get('sides', {});
  sides[roomId] = { ...sides[roomId], ...side };
  const names = Object.keys(sides);
  for (const old of names.slice(0, Math.max(0, names.length - keepRooms))) delete sides[old];
  tab.set('sides', sides);
}

export function forgetSide(roomId) {
  const { [roomId]: gone, ...sides } = tab.get('sides', {});
  if (gone) tab.set('sides', sides);
}

/** The room that `/chat/` is about in this tab; null: none. */
export const roomHere = () => tab.get('here');

export function setRoomHere(roomId) {
  if (roomId) tab.set('here', roomId);
  else tab.remove('here');
}

export const sideOf = (roomId) => tab.get('sides', {})[roomId] ?? {};

export const knownRooms = () => Object.keys(tab.get('sides', {}));

export function loadPending(roomId) {
  const stored = tab.get(`pending.${roomId}`, []);
  const whole = (item) => item && typeof item.clientId === 'string' && typeof item.content === 'string';
  return Array.isArray(stored) ? stored.filter(whole).map((item) => ({ ...item, content: wellFormed(item.content) })) : [];
}

export function savePending(roomId, pending) {
  if (pending.length > 0) tab.set(`pending.${roomId}`, pending);
  else tab.remove(`pending.${roomId}`);
}

export function loadDeeds(roomId) {
  const stored = tab.get(`deeds.${roomId}`, []);
  if (!Array.isArray(stored)) return [];
  // When something was heard was measured by the clock of a page that is gone.
  return stored.filter((deed) => deed && typeof deed.kind === 'string').map((deed) => ({ ...deed, leftAt: undefined }));
}

export function saveDeeds(roomId, deeds) {
  if (deeds.length > 0) tab.set(`deeds.${roomId}`, deeds);
  else tab.remove(`deeds.${roomId}`);
}

export const roomsWithDeeds = () => knownRooms().filter((roomId) => loadDeeds(roomId).length > 0);

const keepOwed = 86_400_000;

/**
 * The tab may be closed with this page. What must be said all the same, and the
 * tokens to say it with, go where the next page of ours finds them, in any tab.
 */
export function handOver() {
  const mustBeSaid = (deed) => deed.kind === 'leave' || deed.kind === 'block';
  const owed = roomsWithDeeds().map((roomId) => ({ roomId, at: deviceTime(), side: sideOf(roomId), deeds: loadDeeds(roomId).filter(mustBeSaid) }));
  const all = [...local.get('owed', []), ...owed.filter(({ deeds }) => deeds.length > 0)];
  if (all.length > 0) local.set('owed', all.slice(-keepRooms));
}

/** Takes over what other pages could not say. */
export function takeOver() {
  const owed = local.get('owed', []);
  local.remove('owed');
  for (const { roomId, at, side, deeds } of Array.isArray(owed) ? owed : []) {
    if (!(deviceTime() - at < keepOwed) || !Array.isArray(deeds)) continue;
    const known = loadDeeds(roomId);
    rememberSide(roomId, { ...side, ...sideOf(roomId) });
    saveDeeds(roomId, [...known, ...deeds.filter(({ kind }) => !known.some((deed) => deed.kind === kind))]);
  }
}

/** Notes that this room is to be left; whatever page comes next says it. */
export function wishToLeave(roomId) {
  if (!isLeft(roomId)) saveDeeds(roomId, [...loadDeeds(roomId), { kind: 'leave' }]);
}

/** Whether this person has left the room, perhaps without having been heard yet. */
export const isLeft = (roomId) => loadDeeds(roomId).some(({ kind }) => kind === 'leave');

export const loadDraft = (roomId) => tab.get(`draft.${roomId}`, '');

export function saveDraft(roomId, text) {
  if (text) tab.set(`draft.${roomId}`, text);
  else tab.remove(`draft.${roomId}`);
}

/** All that was written in a room and not sent, in its order. */
export const unsentWords = (roomId) => [...loadPending(roomId).map((item) => item.content), loadDraft(roomId)].filter((text) => typeof text === 'string' && text.trim() !== '');

/** The room is no more, and what was not sent there has been seen: nothing of it is asked for again. */
export function forgetRoom(roomId) {
  savePending(roomId, []);
  saveDraft(roomId, '');
  forgetSide(roomId);
}
