// How a conversation's events become its state: gathered into batches, folded
// into model/room.js, and what is outstanding kept in this tab, so that a reload
// loses nothing. Knows nothing of what is shown.

import { monotonicNow } from '../lib/time.js';
import { newRoom, reduceAll } from '../model/room.js';
import { isReplaying } from '../model/room-queries.js';
import { announceConfirmed } from './background-outbox.js';
import { loadPendingActions, loadPendingMessages, rememberSide, savePendingActions, savePendingMessages } from './room-storage.js';

const batchTime = 60;
// A history is drawn when it is whole: each part of it would be drawn for nothing. So long it may take.
const replayBatchTime = 600;
const replayQuiet = 400;

/** The state of a room, and its copy in this tab's storage. */
export function createRoomState(roomId) {
  let room = newRoom(roomId, loadPendingMessages(roomId), loadPendingActions(roomId));
  let pendingSince = null;

  return {
    get: () => room,
    /** Since when an action is not confirmed; null: none is pending. */
    pendingSince: () => pendingSince,
    apply(events, now) {
      const { me, partner } = room;
      room = reduceAll(room, events, now);
      savePendingMessages(roomId, room.pendingMessages);
      savePendingActions(roomId, room.pendingActions);
      if (room.me && room.me !== me) rememberSide(roomId, { user_id: room.me });
      // Without a server a page has to say who one is writing to.
      if (room.partner && room.partner !== partner) rememberSide(roomId, { partner: { nickname: room.partner.nickname, avatar: room.partner.avatar } });
      pendingSince = room.pendingActions.length > 0 ? (pendingSince ?? now) : null;
      announceConfirmed(room.confirmed);
    },
    /** What was asked for in a room that is no more is void. */
    dropPendingActions() {
      savePendingActions(roomId, []);
      room = { ...room, pendingActions: [] };
    },
  };
}

/**
 * Gathers events, so that a long history is drawn once. `awaitedSeq` says the last entry of a history that is
 * still coming; 0: none is.
 */
export function createEventBatch({ awaitedSeq, onBatch }) {
  let events = [];
  let soon = false;
  let late = null; // a part of the history may have to do

  function release() {
    clearTimeout(late);
    late = null;
    soon = false;
    const batch = events;
    events = [];
    if (batch.length > 0) onBatch(batch);
  }

  function releaseSoon() {
    if (soon) return;
    soon = true;
    let ran = false;
    const run = () => {
      if (ran) return;
      ran = true;
      release();
    };
    if (!document.hidden) requestAnimationFrame(run);
    // A hidden page gets no animation frames; the timer serves it.
    setTimeout(run, batchTime);
  }

  return {
    push(event) {
      events.push(event);
      const seq = Number(event.message?.seq ?? event.message?.id ?? event.seq ?? 0);
      if (seq < awaitedSeq()) late ??= setTimeout(release, replayBatchTime);
      else releaseSoon();
    },
  };
}

/** Whether the first history is in: its last entry has come, or nothing came for a while. */
export function createHistory({ onComplete }) {
  let complete = false;
  let lastEventAt = monotonicNow();

  function giveUpWaiting() {
    if (complete || monotonicNow() - lastEventAt < replayQuiet) return;
    complete = true;
    onComplete();
  }

  return {
    isComplete: () => complete,
    /** Events have been folded into `room`. */
    follow(room, now) {
      lastEventAt = now;
      if (complete || !room.known) return;
      if (!isReplaying(room)) complete = true;
      else setTimeout(giveUpWaiting, replayQuiet + 20);
    },
    /** The server's log is another one: its history comes from the beginning. */
    restart() {
      complete = false;
    },
  };
}
