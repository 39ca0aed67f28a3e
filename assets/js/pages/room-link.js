// The chat socket of one room together with what has to be sent over it: the
// messages not acknowledged yet, departures, reads. Decides when to say things
// again; what they mean is in model/room.js.

import { openLink, socketUrl } from '../net/link.js';
import { getRoom } from '../net/http.js';
import { sideOf } from './sides.js';

const ackPatience = 12_000;
const storeRetryFirst = 1000;
const storeRetryLongest = 20_000;

export function openRoomLink({ roomId, getState, onEvent, onStatus, onGone }) {
  let everOpen = false;
  let retryTimer = null;
  let retryAttempt = 0;
  let saidAt = 0;
  const later = []; // frames that must arrive even if the connection is away

  const link = openLink({
    url: () =>
      socketUrl('/ws/chat/', { room: roomId, after: String(getState().lastSeq), user_id: sideOf(roomId).user_id ?? getState().me }),
    onOpen() {
      everOpen = true;
      onStatus('open');
    },
    onFrame,
    onLost({ opened }) {
      onStatus('lost');
      if (!opened) checkRoom();
    },
    onFinal(code) {
      if (code === 4004) onGone();
      else onStatus('stopped');
    },
  });

  function onFrame(frame) {
    if (frame.action === 'error' && frame.code === 'unavailable') retryLater();
    if (frame.action === 'new_message') retryAttempt = 0;
    onEvent(frame);
    if (frame.action === 'room_state') afterState(frame);
  }

  /** A connection is good again: say what was left unsaid, in its order. */
  function afterState(frame) {
    for (const item of later.splice(0)) link.send(item);
    if (frame.active !== false) sendPending();
  }

  // A refused handshake tells a browser nothing; the HTTP route says why.
  async function checkRoom() {
    try {
      await getRoom(roomId);
    } catch (error) {
      if ([400, 401, 403, 404].includes(error.status)) onGone(everOpen);
    }
  }

  function sendMessage({ clientId, content, reply }) {
    saidAt = Date.now();
    return link.send({ action: 'send_message', message: { content, replied_to: reply?.id ?? null, client_id: clientId } });
  }

  function sendPending() {
    for (const item of getState().pending) if (!item.failed) sendMessage(item);
  }

  function retryLater() {
    clearTimeout(retryTimer);
    const delay = Math.min(storeRetryLongest, storeRetryFirst * 2 ** retryAttempt);
    retryAttempt += 1;
    retryTimer = setTimeout(sendPending, delay / 2 + (Math.random() * delay) / 2);
  }

  return {
    sendMessage,
    send: link.send,
    isOpen: link.isOpen,
    reconnect: link.reconnect,
    revive: link.revive,
    /** Sends now, or as soon as the connection is back. */
    sendSurely(frame) {
      if (!getState().known || !link.send(frame)) later.push(frame);
    },
    /** Called now and then: an old unanswered message means a dead socket. */
    watch() {
      const state = getState();
      const waits = state.active && !state.storeDown && state.pending.some((item) => !item.failed);
      if (waits && link.isOpen() && Date.now() - saidAt > ackPatience) {
        saidAt = Date.now();
        link.reconnect();
      }
    },
    close() {
      clearTimeout(retryTimer);
      link.close();
    },
  };
}
