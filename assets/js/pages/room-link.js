// The chat socket of one room together with what is owed over it: messages not
// acknowledged yet, deeds not confirmed yet. Keeps the time; what is said when
// is decided in model/outbox.js, what it means is in model/room.js.

import { doubted, due, frameOf, hear, looksDead, newOutbox, restDelay, rested, said, startOver } from '../model/outbox.js';
import { openLink, socketUrl } from '../net/link.js';
import { getRoom } from '../net/http.js';
import { sideOf } from './sides.js';

export function openRoomLink({ roomId, getState, onEvent, onStatus, onGone }) {
  let everOpen = false;
  let retryTimer = null;
  let outbox = newOutbox(Date.now());

  const link = openLink({
    url: () =>
      socketUrl('/ws/chat/', { room: roomId, after: String(getState().lastSeq), user_id: sideOf(roomId).user_id ?? getState().me }),
    onOpen() {
      everOpen = true;
      outbox = startOver(outbox, Date.now());
      onStatus('open');
    },
    onFrame,
    onLost({ opened }) {
      outbox = startOver(outbox, Date.now());
      onStatus('lost');
      if (!opened) checkRoom();
    },
    onFinal(code) {
      if (code === 4004) onGone();
      else onStatus('stopped');
    },
  });

  function onFrame(frame) {
    const before = outbox;
    outbox = hear(outbox, frame, Date.now());
    if (outbox.resting && !before.resting) retryLater();
    onEvent(frame);
    // The connection is good: say what was left unsaid, in its order.
    if (frame.action === 'room_state') flush();
  }

  // A refused handshake tells a browser nothing; the HTTP route says why.
  async function checkRoom() {
    try {
      await getRoom(roomId);
    } catch (error) {
      if ([400, 401, 403, 404].includes(error.status)) onGone(everOpen);
    }
  }

  /** Says what is owed and may be said now. */
  function flush() {
    for (const item of due(outbox, getState())) {
      if (!link.send(frameOf(item))) return;
      outbox = said(outbox, item, Date.now());
    }
  }

  function retryLater() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => {
      outbox = rested(outbox);
      flush();
    }, restDelay(outbox, Math.random()));
  }

  return {
    flush,
    send: link.send,
    isOpen: link.isOpen,
    reconnect: link.reconnect,
    revive: link.revive,
    /** Called now and then: no answer for long means a dead socket. */
    watch() {
      const now = Date.now();
      if (!link.isOpen() || !looksDead(outbox, getState(), now)) return;
      outbox = doubted(outbox, now);
      link.reconnect();
    },
    close() {
      clearTimeout(retryTimer);
      link.close();
    },
  };
}
