// A WebSocket that comes back by itself. Knows nothing of what is said on it but
// the signs of life: `url()` is asked before every attempt, other frames go to
// `onFrame` as objects. The rule of when and how soon is model/reconnect.js,
// whether an open socket is alive is model/pulse.js.

import { deviceTime } from '../lib/time.js';
import { ask, hear, look, newPulse, nextLook, wake } from '../model/pulse.js';
import { failedToPass, isFinal, looksBlocked, newPassage, passed, reconnectDelay } from '../model/reconnect.js';
import { reachesServer } from './http.js';

/** The close code of a browser that was forgotten, here or in another tab. */
export const forgottenCode = 4102;

const openingDeadline = 10_000;

export function openLink({ url, onFrame, onOpen, onLost, onFinal }) {
  let socket = null;
  let timer = null;
  let deadline = null;
  let attempt = 0;
  let opened = false;
  let stopped = false;
  let pulse = newPulse(deviceTime());
  let lookTimer = null;
  let passage = newPassage;
  let blocked = false; // pages of this server arrive, and its sockets do not

  function connect() {
    clearTimeout(timer);
    drop();
    if (stopped) return;
    const mine = new WebSocket(url());
    socket = mine;
    opened = false;
    deadline = setTimeout(() => mine === socket && failed({ code: 1006 }), openingDeadline);
    mine.onopen = () => {
      if (mine !== socket) return;
      clearTimeout(deadline);
      opened = true;
      pulse = newPulse(deviceTime());
      onOpen();
      // From then on the server says when it is silent, and for how long at most.
      areYouThere(openingDeadline);
    };
    mine.onmessage = (event) => {
      if (mine === socket) receive(event.data);
    };
    mine.onclose = (event) => {
      if (mine === socket) failed(event);
    };
  }

  function receive(data) {
    let frame = null;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    // Only a server that talks has proved itself; merely opening has not.
    attempt = 0;
    passage = passed;
    blocked = false;
    pulse = hear(pulse, frame, deviceTime());
    if (frame?.action === 'alive') lookLater();
    else if (frame && typeof frame.action === 'string') onFrame(frame);
  }

  function areYouThere(patience) {
    if (!send({ action: 'are_you_there' })) return;
    pulse = ask(pulse, patience, deviceTime());
    lookLater();
  }

  function lookLater() {
    clearTimeout(lookTimer);
    const wait = socket?.readyState === WebSocket.OPEN ? nextLook(pulse, deviceTime()) : null;
    if (wait !== null) lookTimer = setTimeout(lookAtPulse, wait);
  }

  function lookAtPulse() {
    const { verdict, patience } = look(pulse, deviceTime());
    if (verdict === 'dead') failed({ code: 1006 });
    else if (verdict === 'ask') areYouThere(patience);
    else lookLater();
  }

  function failed(event) {
    const wasOpen = opened;
    drop();
    if (stopped) return;
    if (isFinal(event.code)) {
      stopped = true;
      onFinal(event.code);
      return;
    }
    const delay = reconnectDelay(attempt, event.code, Math.random());
    attempt += 1;
    timer = setTimeout(connect, delay);
    passage = failedToPass(passage, deviceTime());
    if (!blocked && looksBlocked(passage, deviceTime())) lookForBlock();
    onLost({ attempt, opened: wasOpen, code: event.code, blocked });
  }

  async function lookForBlock() {
    const reaches = await reachesServer();
    if (!reaches || stopped || passage.heard || blocked) return;
    blocked = true;
    console.warn(`Pages of ${location.host} arrive, and WebSockets to it cannot be opened: a proxy or a filter on the way does not pass the upgrade (Upgrade and Connection, answered by 101).`);
    onLost({ attempt, opened: false, code: 1006, blocked });
  }

  /** Lets the present socket go without listening to its last words. */
  function drop() {
    clearTimeout(deadline);
    clearTimeout(lookTimer);
    const old = socket;
    socket = null;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = old.onerror = null;
    if (old.readyState <= WebSocket.OPEN) old.close();
  }

  function reconnect() {
    if (stopped) return;
    const wasOpen = socket?.readyState === WebSocket.OPEN;
    attempt = 0;
    if (wasOpen) onLost({ attempt, opened: true, code: 0, blocked });
    connect();
  }

  function send(frame) {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tries at once if there is no connection; an open one may be dead and not know it. */
  function awake(changed) {
    if (stopped || socket?.readyState === WebSocket.CONNECTING) return;
    if (socket?.readyState === WebSocket.OPEN) {
      pulse = wake(pulse, changed, deviceTime());
      lookLater();
      return;
    }
    attempt = 0;
    connect();
  }

  const onVisibility = () => document.hidden || awake(false);
  const onResume = () => awake(false);

  // A page kept for the Back button would keep its socket too: the partner would
  // see somebody online who has left, and whose page hears nothing.
  const onPageHide = () => drop();
  // A changed network kills sockets silently.
  const onNetwork = () => awake(true);
  document.addEventListener('visibilitychange', onVisibility);
  document.addEventListener('resume', onResume);
  addEventListener('pagehide', onPageHide);
  addEventListener('pageshow', onResume);
  addEventListener('online', onNetwork);
  addEventListener('offline', onNetwork);
  const carrier = globalThis.navigator?.connection; // not in every browser
  carrier?.addEventListener?.('change', onNetwork);
  connect();

  return {
    send,
    isOpen: () => socket?.readyState === WebSocket.OPEN,
    reconnect,
    /** Starts again after a final close or a stop. */
    revive() {
      stopped = false;
      attempt = 0;
      connect();
    },
    close() {
      stopped = true;
      clearTimeout(timer);
      drop();
      document.removeEventListener('visibilitychange', onVisibility);
      document.removeEventListener('resume', onResume);
      removeEventListener('pagehide', onPageHide);
      removeEventListener('pageshow', onResume);
      removeEventListener('online', onNetwork);
      removeEventListener('offline', onNetwork);
      carrier?.removeEventListener?.('change', onNetwork);
    },
  };
}

export function socketUrl(path, query = {}) {
  const target = new URL(path, location.href);
  target.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') target.searchParams.set(key, value);
  }
  return target.href;
}
