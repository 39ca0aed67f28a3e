// A WebSocket that comes back by itself. Knows nothing of what is said on it:
// `url()` is asked before every attempt, frames go to `onFrame` as objects.
// The rule of when and how soon is model/reconnect.js.

import { isFinal, reconnectDelay } from '../model/reconnect.js';

/** The close code of a browser that was forgotten, here or in another tab. */
export const forgottenCode = 4102;

const openingDeadline = 10_000;
const longSleep = 40_000;

export function openLink({ url, onFrame, onOpen, onLost, onFinal }) {
  let socket = null;
  let timer = null;
  let deadline = null;
  let attempt = 0;
  let opened = false;
  let stopped = false;
  let hiddenAt = null;

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
      onOpen();
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
    if (frame && typeof frame.action === 'string') onFrame(frame);
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
    onLost({ attempt, opened: wasOpen, code: event.code });
  }

  /** Lets the present socket go without listening to its last words. */
  function drop() {
    clearTimeout(deadline);
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
    if (wasOpen) onLost({ attempt, opened: true, code: 0 });
    connect();
  }

  /** Tries at once if there is no connection; a good one is left alone. */
  function kick() {
    if (stopped || socket?.readyState <= WebSocket.OPEN) return;
    attempt = 0;
    connect();
  }

  function onVisibility() {
    if (document.hidden) {
      hiddenAt = Date.now();
      return;
    }
    const slept = hiddenAt !== null && Date.now() - hiddenAt > longSleep;
    hiddenAt = null;
    // After a long sleep a socket may be dead and not know it.
    if (slept) reconnect();
    else kick();
  }

  // A page kept for the Back button would keep its socket too: the partner would
  // see somebody online who has left, and whose page hears nothing.
  const onPageHide = () => drop();
  const onPageShow = () => kick();
  // A changed network kills sockets silently: the old one cannot be trusted.
  const onNetwork = () => reconnect();
  document.addEventListener('visibilitychange', onVisibility);
  addEventListener('pagehide', onPageHide);
  addEventListener('pageshow', onPageShow);
  addEventListener('online', onNetwork);
  addEventListener('offline', onNetwork);
  connect();

  return {
    send(frame) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
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
      removeEventListener('pagehide', onPageHide);
      removeEventListener('pageshow', onPageShow);
      removeEventListener('online', onNetwork);
      removeEventListener('offline', onNetwork);
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
