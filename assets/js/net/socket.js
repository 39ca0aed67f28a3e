// A WebSocket that comes back by itself. Knows nothing of what is said on it but
// the signs of life: `url()` is asked before every attempt, other frames go to
// `onFrame` as objects. The rule of when and how soon is model/reconnect.js,
// whether an open socket is alive is model/liveness.js.

import { deviceTime } from '../lib/time.js';
import { check, newLiveness, nextCheck, noteFrame, noteProbe, wake } from '../model/liveness.js';
import { comeBack, longestPause, looksBlocked, noteFailure, reached, reconnectDelay, unknownReachability } from '../model/reconnect.js';
import { wellFormedJson } from '../model/well-formed.js';
import { reachesServer } from './http.js';

/** The close code of a browser that was forgotten, here or in another tab. */
export const forgottenCode = 4102;

const openingDeadline = 10_000;
const brokenCode = 1006;

/**
 * @typedef {object} Handlers
 * @property {() => string} url
 * @property {(frame: import('../model/room.js').Frame) => void} onFrame
 * @property {() => void} onOpen
 * @property {(lost: { blocked: boolean, refused?: boolean }) => void} onLost `refused`: it had not even opened
 * @property {(code: number) => void} onFinal the server does not want this client back
 */

/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */

export class ReconnectingSocket {
  /** @type {Handlers} */
  #handlers;
  /** @type {WebSocket | null} */
  #socket = null;
  #stopped = false;
  #hasOpened = false; // the present socket has

  // The next attempt.
  #attempt = 0;
  /** @type {Timer} */
  #retryTimer;
  #notBefore = -Infinity; // until then the server wants to be left alone
  /** @type {Timer} */
  #openingTimer;

  // Signs of life on the present socket.
  #liveness = newLiveness(deviceTime());
  /** @type {Timer} */
  #checkTimer;

  // Whether anything on the way lets pages through, and no sockets.
  #reachability = unknownReachability;
  #blocked = false;

  /** @type {[EventTarget, string, () => void][]} */
  #listeners;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#listeners = this.#pageEvents();
    for (const [target, name, listener] of this.#listeners) target.addEventListener?.(name, listener);
    this.#connect();
  }

  /** @returns {[EventTarget, string, () => void][]} */
  #pageEvents() {
    const resume = () => this.#wake(false);
    const networkChanged = () => this.#wake(true); // it kills sockets silently
    /** @type {[EventTarget, string, () => void][]} */
    const events = [
      [document, 'visibilitychange', () => document.hidden || resume()],
      [document, 'resume', resume],
      // A page kept for the Back button would keep its socket too: the partner would
      // see a side online that has left, and whose page hears nothing.
      [globalThis, 'pagehide', () => this.#drop()],
      [globalThis, 'pageshow', resume],
      [globalThis, 'online', networkChanged],
      [globalThis, 'offline', networkChanged],
    ];
    const carrier = /** @type {{ connection?: EventTarget } | undefined} */ (globalThis.navigator)?.connection; // not in every browser
    return carrier ? [...events, [carrier, 'change', networkChanged]] : events;
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#notBefore = -Infinity;
    this.#hasOpened = false;
    if (this.#stopped) return;
    const socket = new WebSocket(this.#handlers.url());
    const ifCurrent = (/** @type {() => void} */ then) => socket === this.#socket && then();
    this.#socket = socket;
    this.#openingTimer = setTimeout(() => ifCurrent(() => this.#lost(brokenCode)), openingDeadline);
    socket.onopen = () => ifCurrent(() => this.#opened());
    socket.onmessage = ({ data }) => ifCurrent(() => this.#receive(data));
    socket.onclose = ({ code }) => ifCurrent(() => this.#lost(code));
  }

  #opened() {
    clearTimeout(this.#openingTimer);
    this.#hasOpened = true;
    this.#liveness = newLiveness(deviceTime());
    this.#handlers.onOpen();
    // From then on the server says when it is silent, and for how long at most.
    this.#probe(openingDeadline);
  }

  /** @param {string} data */
  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    // Only a server that talks has proved itself; merely opening has not.
    this.#attempt = 0;
    this.#reachability = reached;
    this.#blocked = false;
    this.#liveness = noteFrame(this.#liveness, frame, deviceTime());
    if (frame?.action === 'alive') this.#checkLater();
    else if (frame && typeof frame.action === 'string') this.#handlers.onFrame(frame);
  }

  /** @param {number} patience */
  #probe(patience) {
    if (!this.send({ action: 'are_you_there' })) return;
    this.#liveness = noteProbe(this.#liveness, patience, deviceTime());
    this.#checkLater();
  }

  #checkLater() {
    clearTimeout(this.#checkTimer);
    const wait = this.isOpen() ? nextCheck(this.#liveness, deviceTime()) : null;
    if (wait !== null) this.#checkTimer = setTimeout(() => this.#check(), wait);
  }

  #check() {
    const found = check(this.#liveness, deviceTime());
    if (found.verdict === 'dead') this.#lost(brokenCode);
    else if (found.verdict === 'probe') this.#probe(found.patience);
    else this.#checkLater();
  }

  /** @param {number} code */
  #lost(code) {
    this.#drop();
    if (this.#stopped) return;
    const delay = reconnectDelay(this.#attempt, code, Math.random());
    if (delay === null) {
      this.#stopped = true;
      this.#handlers.onFinal(code);
      return;
    }
    const now = deviceTime();
    this.#attempt += 1;
    this.#reachability = noteFailure(this.#reachability, now);
    const isLater = comeBack(code) === 'later';
    const longest = isLater ? null : longestPause(this.#reachability, now);
    this.#retryTimer = setTimeout(() => this.#connect(), Math.min(delay, longest ?? delay));
    this.#notBefore = isLater ? now + delay : -Infinity;
    if (!this.#blocked && looksBlocked(this.#reachability, now)) this.#lookForBlock();
    this.#handlers.onLost({ blocked: this.#blocked, refused: !this.#hasOpened });
  }

  async #lookForBlock() {
    const reaches = await reachesServer();
    if (!reaches || this.#stopped || this.#reachability.heard || this.#blocked) return;
    this.#blocked = true;
    console.warn(`Pages of ${location.host} arrive, and WebSockets to it cannot be opened: a proxy or a filter on the way does not pass the upgrade (Upgrade and Connection, answered by 101).`);
    this.#handlers.onLost({ blocked: true });
  }

  /** Lets the present socket go without listening to its last words. */
  #drop() {
    clearTimeout(this.#openingTimer);
    clearTimeout(this.#checkTimer);
    const old = this.#socket;
    this.#socket = null;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = old.onerror = null;
    if (old.readyState <= WebSocket.OPEN) old.close();
  }

  /**
   * The page or its network is back. Tries at once if there is no connection and the server
   * has not asked for more time; an open one may be dead and not know it.
   * @param {boolean} changed
   */
  #wake(changed) {
    if (this.#stopped || this.#socket?.readyState === WebSocket.CONNECTING) return;
    if (this.isOpen()) {
      this.#liveness = wake(this.#liveness, changed, deviceTime());
      this.#checkLater();
    } else if (deviceTime() >= this.#notBefore) {
      this.#attempt = 0;
      this.#connect();
    }
  }

  isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** @param {object} frame Returns whether it was sent: there is no queue here. */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(wellFormedJson(frame));
    return true;
  }

  /** Gives up the present socket and opens another at once. */
  reconnect() {
    if (this.#stopped) return;
    this.#attempt = 0;
    if (this.isOpen()) this.#handlers.onLost({ blocked: this.#blocked });
    this.#connect();
  }

  /** Starts again after a final close or a stop. */
  revive() {
    this.#stopped = false;
    this.#attempt = 0;
    this.#connect();
  }

  close() {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    this.#drop();
    for (const [target, name, listener] of this.#listeners) target.removeEventListener?.(name, listener);
  }
}

/** @param {string} path */
export function socketUrl(path) {
  const target = new URL(path, location.href);
  target.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return target.href;
}
