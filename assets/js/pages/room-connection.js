// The chat socket of one room together with what is outstanding on it: pending
// messages and pending actions. Keeps the time; what is sent when is decided in
// model/outbox.js, what it means is in model/room.js.

import { monotonicNow } from '../lib/time.js';
import { allowResend, backoffDelay, endBackoff, looksDead, markSent, newOutbox, noteSilentReconnect, overdue, receive, referenceTo, resetConnection, sendable, toFrame, unanswered } from '../model/outbox.js';
import { resumePoint } from '../model/room-queries.js';
import { forgottenCode, ReconnectingSocket, socketUrl } from '../net/socket.js';
import { wasForgotten } from '../ui/forget.js';
import { askNotices, askWhatStands, bannedCode, goToNotices, isMuted, takeNotice } from './notices.js';
import { sideOf } from './room-storage.js';

// Close codes that mean something else than "come back" or "stop".
const closed = { gone: 4004, refused: 4101 };
// What failed is noted in the room by then.
const againAfter = 1000;
// What was answered is folded into the room by then.
const nextWishAfter = 150;

export function openRoomConnection({ roomId, getState, onEvent, onStatus, onGone }) {
  let entered = false; // the room has answered since this connection opened
  let blocked = false; // something on the way lets sockets open at most, and nothing through
  let retryTimer = null;
  let outbox = newOutbox(monotonicNow());

  const socket = new ReconnectingSocket({
    // The address names no room: proxies and logs keep addresses.
    url: () => socketUrl('/ws/chat/'),
    onOpen() {
      entered = false;
      socket.send(enterFrame());
      askWhatStands();
      outbox = resetConnection(outbox, monotonicNow());
      if (!blocked) onStatus('open');
    },
    // A history comes many entries at a time: a frame takes a slow device longer than what is in it.
    onFrame: (frame) => (frame.action === 'entries' ? frame.entries.forEach(onFrame) : onFrame(frame)),
    onLost(lost) {
      blocked = lost.blocked;
      outbox = resetConnection(outbox, monotonicNow());
      onStatus(blocked ? 'blocked' : 'lost');
      // A browser does not say why.
      if (lost.refused) askNotices(15_000);
    },
    onFinal(code) {
      if (code === forgottenCode) wasForgotten();
      else if (code === bannedCode) goToNotices();
      else if (code === closed.gone || code === closed.refused) onGone();
      else onStatus('stopped');
    },
  });

  function enterFrame() {
    const { token, user_id: own } = sideOf(roomId);
    return { action: 'enter', room: roomId, token, ...resumePoint(getState()), together: true, user_id: own ?? getState().me };
  }

  function onFrame(frame) {
    if (frame.action === 'notice') takeNotice(frame.notice);
    if (frame.code === 'muted' && !isMuted()) askNotices();
    if (frame.action === 'room_state') entered = true;
    if (entered && blocked) {
      blocked = false;
      onStatus('open');
    }
    // Why this side may not enter is told by the close code that follows.
    if (frame.action === 'error' && !entered) return;
    const before = outbox;
    // Only our own reaction answers ours.
    if (frame.action !== 'reaction' || frame.user_id === getState().me) outbox = receive(outbox, frame, monotonicNow());
    if (outbox.backingOff && !before.backingOff) retryLater();
    onEvent(frame);
    if (frame.action === 'error' && !outbox.backingOff) setTimeout(flush, againAfter);
    // Another reaction may be wanted by now.
    if (frame.action === 'reaction') setTimeout(flush, nextWishAfter);
    // The connection is good: send what is outstanding, in its order.
    if (frame.action === 'room_state') flush();
  }

  /** Sends what is outstanding and may be sent now. */
  function flush() {
    for (const item of sendable(outbox, getState())) {
      if (!socket.send(toFrame(item))) return;
      outbox = markSent(outbox, item, monotonicNow());
    }
  }

  function retryLater() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => {
      outbox = endBackoff(outbox);
      flush();
    }, backoffDelay(outbox, Math.random()));
  }

  /** The connection is good, these are not: no reconnect for them. */
  function sendOnceMore(items) {
    outbox = allowResend(outbox, items);
    onEvent({ action: 'unanswered', items: items.map(referenceTo) });
    setTimeout(flush, againAfter);
  }

  function reconnectInSilence(now) {
    const late = overdue(outbox, getState(), now);
    if (late.length > 0) onEvent({ action: 'unanswered', items: late.map(referenceTo) });
    outbox = noteSilentReconnect(outbox, now);
    socket.reconnect();
  }

  return {
    flush,
    send: (frame) => socket.send(frame),
    isOpen: () => socket.isOpen(),
    reconnect: () => socket.reconnect(),
    revive: () => socket.revive(),
    /** Called now and then: no answer for long means a dead socket. */
    watch() {
      const now = monotonicNow();
      if (!socket.isOpen()) return;
      const ownFault = unanswered(outbox, getState(), now);
      if (ownFault.length > 0) sendOnceMore(ownFault);
      else if (looksDead(outbox, getState(), now)) reconnectInSilence(now);
    },
    close() {
      clearTimeout(retryTimer);
      socket.close();
    },
  };
}
