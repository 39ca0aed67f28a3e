// The pending actions of a conversation whose page is gone: leaving, a block, a
// recall, a reaction, a deletion that was not confirmed in time. Sends them over a connection
// of its own until the server confirms them. Of the pending messages there, only
// those written before leaving are sent; the rest stays unsent.

import { t } from '../lib/i18n.js';
import { monotonicNow } from '../lib/time.js';
import { newRoom, reduceAll } from '../model/room.js';
import { toast } from '../ui/toast.js';
import { openRoomConnection } from './room-connection.js';
import { isLeft, loadPendingActions, loadPendingMessages, roomsWithPendingActions, savePendingActions, savePendingMessages, adoptActions } from './room-storage.js';

const running = new Map(); // room id -> how to stop

export function startBackgroundOutboxes(except = null) {
  adoptActions();
  for (const roomId of roomsWithPendingActions()) if (roomId !== except) startBackgroundOutbox(roomId);
}

export function stopBackgroundOutbox(roomId) {
  running.get(roomId)?.();
}

export function startBackgroundOutbox(roomId) {
  const leaves = isLeft(roomId);
  let state = newRoom(roomId, leaves ? loadPendingMessages(roomId) : [], loadPendingActions(roomId));
  if (state.pendingActions.length === 0 || running.has(roomId)) return;
  const connection = openRoomConnection({ roomId, getState: () => state, onEvent: take, onStatus: (status) => status === 'stopped' && stop(), onGone: forget });
  const ticker = setInterval(() => {
    connection.watch();
    take({ action: 'waited' });
  }, 1000);
  running.set(roomId, stop);

  function take(event) {
    state = reduceAll(state, [event], monotonicNow());
    savePendingActions(roomId, state.pendingActions);
    if (leaves) savePendingMessages(roomId, state.pendingMessages);
    announceConfirmed(state.confirmed);
    if (state.pendingActions.length === 0) stop();
  }

  function forget() {
    savePendingActions(roomId, []);
    stop();
  }

  function stop() {
    clearInterval(ticker);
    running.delete(roomId);
    connection.close();
  }
}

/** Says what has just been confirmed and does not show by itself. */
export function announceConfirmed(kinds) {
  if (kinds.includes('block')) toast(t('app.blocked'));
  else if (kinds.includes('delete')) toast(t('app.deleted'));
}
