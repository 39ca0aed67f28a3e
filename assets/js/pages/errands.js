// What was asked for in a conversation whose page is gone: a farewell, a block, a
// recall, a deletion that was not confirmed in time. Says it over a connection of
// its own until the server confirms it. Of what was written there only that is
// sent which stands before a farewell; the rest stays unsaid.

import { t } from '../lib/i18n.js';
import { ticks } from '../lib/time.js';
import { newRoom, reduceAll } from '../model/room.js';
import { toast } from '../ui/toast.js';
import { openRoomLink } from './room-link.js';
import { isLeft, loadDeeds, loadPending, roomsWithDeeds, saveDeeds, savePending, takeOver } from './sides.js';

const running = new Map(); // room id -> how to stop

export function runErrands(except = null) {
  takeOver();
  for (const roomId of roomsWithDeeds()) if (roomId !== except) runErrand(roomId);
}

export function stopErrand(roomId) {
  running.get(roomId)?.();
}

export function runErrand(roomId) {
  const leaves = isLeft(roomId);
  let state = newRoom(roomId, leaves ? loadPending(roomId) : [], loadDeeds(roomId));
  if (state.deeds.length === 0 || running.has(roomId)) return;
  const link = openRoomLink({ roomId, getState: () => state, onEvent: take, onStatus: (status) => status === 'stopped' && stop(), onGone: forget });
  const ticker = setInterval(() => {
    link.watch();
    take({ action: 'waited' });
  }, 1000);
  running.set(roomId, stop);

  function take(event) {
    state = reduceAll(state, [event], ticks());
    saveDeeds(roomId, state.deeds);
    if (leaves) savePending(roomId, state.pending);
    tellConfirmed(state.confirmed);
    if (state.deeds.length === 0) stop();
  }

  function forget() {
    saveDeeds(roomId, []);
    stop();
  }

  function stop() {
    clearInterval(ticker);
    running.delete(roomId);
    link.close();
  }
}

/** A word for what has just been confirmed and does not show by itself. */
export function tellConfirmed(kinds) {
  if (kinds.includes('block')) toast(t('block.done'));
  else if (kinds.includes('delete')) toast(t('mm.deleted'));
}
