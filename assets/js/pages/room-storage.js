// What this tab keeps about its rooms: which one it shows, which side it is and
// by which token, its profile there, pending messages and actions, and a draft.
// In storage and not in the address, which the browser's history keeps.
// The names in storage are older than those here; they stay, for open tabs use them.

import { local, tab } from '../lib/storage.js';
import { deviceTime } from '../lib/time.js';
import { wellFormed } from '../model/well-formed.js';

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

export function loadPendingMessages(roomId) {
  const stored = tab.get(`pending.${roomId}`, []);
  const whole = (item) => item && typeof item.clientId === 'string' && typeof item.content === 'string';
  return Array.isArray(stored) ? stored.filter(whole).map((item) => ({ ...item, content: wellFormed(item.content) })) : [];
}

export function savePendingMessages(roomId, messages) {
  if (messages.length > 0) tab.set(`pending.${roomId}`, messages);
  else tab.remove(`pending.${roomId}`);
}

export function loadPendingActions(roomId) {
  const stored = tab.get(`deeds.${roomId}`, []);
  if (!Array.isArray(stored)) return [];
  // `leftAt` was measured by the clock of a page that is gone.
  return stored.filter((action) => action && typeof action.kind === 'string').map((action) => ({ ...action, leftAt: undefined }));
}

export function savePendingActions(roomId, actions) {
  if (actions.length > 0) tab.set(`deeds.${roomId}`, actions);
  else tab.remove(`deeds.${roomId}`);
}

export const roomsWithPendingActions = () => knownRooms().filter((roomId) => loadPendingActions(roomId).length > 0);

const keepHandedOver = 86_400_000;

/**
 * The tab may be closed with this page. Actions that must be sent all the same, and
 * the tokens to send them with, go where the next page of ours finds them, in any tab.
 */
export function handOverActions() {
  const mustBeSent = ({ kind }) => kind === 'leave' || kind === 'block';
  const mine = roomsWithPendingActions().map((roomId) => ({ roomId, at: deviceTime(), side: sideOf(roomId), deeds: loadPendingActions(roomId).filter(mustBeSent) }));
  const all = [...local.get('owed', []), ...mine.filter(({ deeds }) => deeds.length > 0)];
  if (all.length > 0) local.set('owed', all.slice(-keepRooms));
}

/** Adopts the actions that other pages could not send. */
export function adoptActions() {
  const handedOver = local.get('owed', []);
  local.remove('owed');
  for (const { roomId, at, side, deeds: actions } of Array.isArray(handedOver) ? handedOver : []) {
    if (!(deviceTime() - at < keepHandedOver) || !Array.isArray(actions)) continue;
    const known = loadPendingActions(roomId);
    rememberSide(roomId, { ...side, ...sideOf(roomId) });
    savePendingActions(roomId, [...known, ...actions.filter(({ kind }) => !known.some((action) => action.kind === kind))]);
  }
}

/** Notes that this room is to be left; the next page tells the server. */
export function requestLeave(roomId) {
  if (!isLeft(roomId)) savePendingActions(roomId, [...loadPendingActions(roomId), { kind: 'leave' }]);
}

/** Whether this person has left the room, perhaps unconfirmed. */
export const isLeft = (roomId) => loadPendingActions(roomId).some(({ kind }) => kind === 'leave');

export const loadDraft = (roomId) => tab.get(`draft.${roomId}`, '');

export function saveDraft(roomId, text) {
  if (text) tab.set(`draft.${roomId}`, text);
  else tab.remove(`draft.${roomId}`);
}

/** The place of the newest message of a room that was on the screen; 0: none. */
export const loadSeen = (roomId) => Number(tab.get(`seen.${roomId}`, 0)) || 0;

export const saveSeen = (roomId, seq) => tab.set(`seen.${roomId}`, seq);

/** All that was written in a room and not sent, in its order. */
export const unsentWords = (roomId) => [...loadPendingMessages(roomId).map((item) => item.content), loadDraft(roomId)].filter((text) => typeof text === 'string' && text.trim() !== '');

/** The room is no more, and what was not sent there has been seen: nothing of it is asked for again. */
export function forgetRoom(roomId) {
  savePendingMessages(roomId, []);
  saveDraft(roomId, '');
  tab.remove(`seen.${roomId}`);
  forgetSide(roomId);
}
