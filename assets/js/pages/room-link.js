// The chat socket of one room together with what is owed over it: messages not
// acknowledged yet, deeds not confirmed yet. Keeps the time; what is said when
// is decided in model/outbox.js, what it means is in model/room.js.

import { ticks } from '../lib/time.js';
import { doubted, due, frameOf, hear, looksDead, nameOf, newOutbox, overdue, restDelay, rested, said, startOver, unanswered, unsay } from '../model/outbox.js';
import { placeIn } from '../model/room.js';
import { forgottenCode, openLink, socketUrl } from '../net/link.js';
import { wasForgotten } from '../ui/forget-sheet.js';
import { sideOf } from './sides.js';

// Close codes that mean something else than "come back" or "stop".
const closed = { gone: 4004, refused: 4101 };
// What failed is noted in the room by then.
const againAfter = 1000;

export function openRoomLink({ roomId, getState, onEvent, onStatus, onGone }) {
  let entered = false; // the room has answered since this connection opened
  let blocked = false; // something on the way lets sockets open at most, and nothing through
  let retryTimer = null;
  let outbox = newOutbox(ticks());

  const link = openLink({
    // The address names no room: proxies and logs keep addresses.
    url: () => socketUrl('/ws/chat/'),
    onOpen() {
      entered = false;
      link.send(enterFrame());
      outbox = startOver(outbox, ticks());
      if (!blocked) onStatus('open');
    },
    onFrame,
    onLost(lost) {
      blocked = lost.blocked;
      outbox = startOver(outbox, ticks());
      onStatus(blocked ? 'blocked' : 'lost');
    },
    onFinal(code) {
      if (code === forgottenCode) wasForgotten();
      else if (code === closed.gone || code === closed.refused) onGone();
      else onStatus('stopped');
    },
  });

  function enterFrame() {
    const { token, user_id: own } = sideOf(roomId);
    return { action: 'enter', room: roomId, token, ...placeIn(getState()), user_id: own ?? getState().me };
  }

  function onFrame(frame) {
    if (frame.action === 'room_state') entered = true;
    if (entered && blocked) {
      blocked = false;
      onStatus('open');
    }
    // Why one may not enter is told by the close code that follows.
    if (frame.action === 'error' && !entered) return;
    const before = outbox;
    outbox = hear(outbox, frame, ticks());
    if (outbox.resting && !before.resting) retryLater();
    onEvent(frame);
    if (frame.action === 'error' && !outbox.resting) setTimeout(flush, againAfter);
    // The connection is good: say what was left unsaid, in its order.
    if (frame.action === 'room_state') flush();
  }

  /** Says what is owed and may be said now. */
  function flush() {
    for (const item of due(outbox, getState())) {
      if (!link.send(frameOf(item))) return;
      outbox = said(outbox, item, ticks());
    }
  }

  function retryLater() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => {
      outbox = rested(outbox);
      flush();
    }, restDelay(outbox, Math.random()));
  }

  /** The connection is good, these are not: no reconnect for them. */
  function sayOnceMore(items) {
    outbox = unsay(outbox, items);
    onEvent({ action: 'unanswered', items: items.map(nameOf) });
    setTimeout(flush, againAfter);
  }

  function doubtLink(now) {
    const late = overdue(outbox, getState(), now);
    if (late.length > 0) onEvent({ action: 'unanswered', items: late.map(nameOf) });
    outbox = doubted(outbox, now);
    link.reconnect();
  }

  return {
    flush,
    send: link.send,
    isOpen: link.isOpen,
    reconnect: link.reconnect,
    revive: link.revive,
    /** Called now and then: no answer for long means a dead socket. */
    watch() {
      const now = ticks();
      if (!link.isOpen()) return;
      const ownFault = unanswered(outbox, getState(), now);
      if (ownFault.length > 0) sayOnceMore(ownFault);
      else if (looksDead(outbox, getState(), now)) doubtLink(now);
    },
    close() {
      clearTimeout(retryTimer);
      link.close();
    },
  };
}
