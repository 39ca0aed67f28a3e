// The list of messages: holds a range of the conversation, more of it where
// the reader scrolls, stays at the bottom while they are there, never jumps otherwise.
// The elements themselves are log-rows.js.

import { byTest, reducedMotion, setHidden, setText } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { dayOf, monotonicNow, now } from '../lib/time.js';
import { newPace } from '../model/pace.js';
import { indexOf } from '../model/room-queries.js';
import { logRows } from '../model/rows.js';
import { around, beginning, fuller, goesWithNewest, holds, newer, newest, older, oldest, withoutFuture, withoutPast } from '../model/log-range.js';
import { mountRows } from './log-rows.js';

const nearBottom = 48;
const surroundings = 30;
const lineGap = 24; // what is left above the line about new messages
const nothing = { messages: [], pendingMessages: [], pendingActions: [], partnerRead: 0 };

// eslint-disable-next-line max-lines-per-function -- its parts share where the reader is: the range, the scroll position, the focus
export function mountLog(main, { onSeen }) {
  const log = byTest('log', main);
  const list = log.querySelector('[data-slot="rows"]');
  const head = log.querySelector('[data-slot="log-head"]');
  const earlier = byTest('earlier', log);
  const latest = byTest('latest', main);
  const typing = byTest('typing', log);
  const rows = mountRows(list);
  const pace = newPace();
  let state = nothing;
  let names = {};
  let range = newest(0);
  let drawn = {}; // what the elements were made of: { state, range, words }
  let atBottom = true;
  let top = 0; // where it was scrolled to when we last looked
  let size = ''; // and how large it was
  let unseen = 0;
  let roving = null;
  let newFrom = -1; // the index of the message above which the line about new ones stands
  let away = false; // what comes is not seen as it comes
  let filling = null; // what is above the first screen is still to come
  let filled = false;

  const length = () => state.messages.length;

  log.addEventListener('scroll', onScroll, { passive: true });
  latest.addEventListener('click', goDown);
  earlier.addEventListener('click', showEarlier);
  // The keyboard or a growing composer makes the log smaller: stay at the end.
  new ResizeObserver(settle).observe(log);

  function onScroll() {
    // Another size moves the text too, and the reader did not ask to read further up.
    if (atBottom && size !== sizeOf(log)) {
      settle();
      return;
    }
    const below = log.scrollHeight - log.scrollTop - log.clientHeight;
    const upwards = log.scrollTop <= top;
    top = log.scrollTop;
    size = sizeOf(log);
    atBottom = below < nearBottom && goesWithNewest(range);
    // The first screen has hardly anything above it yet; that comes by itself.
    const asks = filled || !atBottom;
    if (upwards && asks && top < log.clientHeight && range.from > 0) hold(older(range, length()));
    else if (!upwards && below < log.clientHeight && !goesWithNewest(range)) hold(newer(range, length()));
    if (atBottom && unseen > 0) {
      unseen = 0;
      onSeen();
    }
    paintLatest();
  }

  function toBottom(smooth) {
    const jumps = !goesWithNewest(range);
    if (jumps) hold(newest(length()));
    log.scrollTo({ top: log.scrollHeight, behavior: smooth && !jumps && !reducedMotion() ? 'smooth' : 'auto' });
    if (smooth && !jumps) return;
    atBottom = true;
    top = log.scrollTop;
    size = sizeOf(log);
  }

  /** First to where the reader was, if that is further down, then to the end. */
  function goDown() {
    const isDrawn = newFrom >= 0 && holds(range, newFrom);
    if (newFrom >= 0 && !isDrawn) hold(around(newFrom, length()));
    const line = newFrom >= 0 ? lineNode() : null;
    const below = line ? line.getBoundingClientRect().top - log.getBoundingClientRect().top : 0;
    if (!line || (isDrawn && below < log.clientHeight - nearBottom)) toBottom(true);
    else log.scrollTo({ top: log.scrollTop + below - lineGap, behavior: isDrawn && !reducedMotion() ? 'smooth' : 'auto' });
  }

  /** What is above the first screen comes when that has been painted, a little at a time. */
  function fillLater() {
    if (filled || length() === 0) return;
    filling ??= whenIdle(() => {
      filling = null;
      if (length() === 0) return;
      const next = fuller(range, length());
      filled = next === range;
      if (filled) return;
      hold(next);
      settle();
      fillLater();
    });
  }

  /** Now, since it is where the reader goes on. */
  function fill() {
    if (!filled && goesWithNewest(range) && range.from > newest(length()).from) hold(newest(length()));
    filled = true;
  }

  const lineNode = () => list.querySelector('.new-line');

  /**
   * More has come than fits on the screen while the reader was away: they go on where they were, unless that
   * is further up than the log reaches: many screens back is not where a reader goes on.
   */
  function stopAtLine() {
    if (!away || newFrom < 0) return false;
    fill();
    if (!holds(range, newFrom)) return false;
    const line = lineNode();
    if (!line) return false;
    const at = log.scrollTop + line.getBoundingClientRect().top - log.getBoundingClientRect().top;
    if (log.scrollHeight - at <= log.clientHeight) return false;
    log.scrollTop = at - lineGap;
    atBottom = false;
    top = log.scrollTop;
    size = sizeOf(log);
    unseen = state.messages.slice(newFrom).filter((message) => !message.mine).length;
    return true;
  }

  function paintLatest() {
    setHidden(latest, atBottom);
    if (!atBottom) setText(latest, unseen > 0 ? t('chat.newMessages', { n: unseen }) : t('chat.toLatest'));
  }

  /** Holds another range. What scrolling brings is no news: nothing is announced. */
  function hold(next) {
    range = next;
    draw(true);
  }

  function draw(still) {
    const words = JSON.stringify([names, language(), dayOf(now())]);
    if (drawn.state === state && drawn.range === range && drawn.words === words && drawn.newFrom === newFrom) return;
    const repaint = drawn.words !== words;
    drawn = { state, range, words, newFrom };
    // Another language is no news either.
    log.setAttribute('aria-live', still || repaint ? 'off' : 'polite');
    keepPlace(() => {
      // What stands above the first message does not stand above any other.
      setHidden(head, range.from > 0);
      setHidden(earlier, range.from === 0);
      rows.place(logRows(state, { ...range, newFrom }), { names, still, repaint, enters: pace.isQuick() });
    });
    updateRoving();
  }

  /** Leaves what is being read where it is, whatever changes above it. */
  function keepPlace(change) {
    const seen = atBottom ? [] : inView();
    change();
    const still = seen.find(({ node }) => node.isConnected);
    const moved = still ? still.node.getBoundingClientRect().top - still.top : 0;
    if (moved !== 0) log.scrollTop += moved;
    if (still) top = log.scrollTop;
  }

  function inView() {
    const edge = log.getBoundingClientRect().top;
    const nodes = [...list.children];
    const first = nodes.findIndex((node) => node.getBoundingClientRect().bottom > edge);
    return nodes.slice(Math.max(0, first), first + 20).map((node) => ({ node, top: node.getBoundingClientRect().top }));
  }

  /** After a change of size: at the end, and with enough above to scroll to. */
  function settle() {
    while (range.from > 0 && log.scrollHeight < (filled ? 3 : 1) * log.clientHeight) hold(older(range, length()));
    if (atBottom && !stopAtLine()) toBottom(false);
  }

  /** Whether the reader walks through the messages or has selected some of their text. */
  function isHeld() {
    const marked = globalThis.getSelection?.();
    return list.contains(document.activeElement) || Boolean(marked && !marked.isCollapsed && list.contains(marked.anchorNode));
  }

  /** Tab reaches one message: the newest, unless the reader is walking in the log. */
  function updateRoving() {
    const walking = roving?.isConnected && list.contains(document.activeElement);
    const last = list.querySelector('.message:last-of-type');
    if (walking || last === roving) return;
    if (roving) roving.tabIndex = -1;
    roving = last;
    if (roving) roving.tabIndex = 0;
  }

  /** Makes `node` the one message that Tab reaches. */
  function focusMessage(node) {
    if (roving) roving.tabIndex = -1;
    roving = node;
    node.tabIndex = 0;
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: 'nearest' });
  }

  const messages = () => [...list.querySelectorAll('.message')];

  /** The message `by` places after `node`, also if it is not held yet. */
  function neighbour(node, by) {
    const beside = () => messages()[messages().indexOf(node) + by];
    const edge = by < 0 ? messages()[0] : messages().at(-1);
    if (node === edge && by < 0 && range.from > 0) hold(older(range, length()));
    if (node === edge && by > 0 && !goesWithNewest(range)) hold(newer(range, length()));
    return beside();
  }

  function showEarlier() {
    const before = messages()[0] && neighbour(messages()[0], -1);
    if (before) focusMessage(before);
  }

  return {
    element: log,
    list,
    isAtBottom: () => atBottom,
    toBottom,
    focusMessage,
    /**
     * `still` while history is filled in: no motion, no live announcements. `newFrom` is the index of the message
     * above which a line says that it is new, or -1; `away`: what comes is not seen as it comes.
     */
    update(nextState, { still, names: nextNames, added = 0, newFrom: nextNew = -1, away: isAway = false }) {
      state = nextState;
      names = nextNames;
      newFrom = nextNew;
      away = isAway && !still;
      if (still && atBottom) range = filled ? newest(length()) : beginning(length());
      else if (!atBottom) range = withoutFuture(range, length());
      else if (!isHeld()) range = withoutPast(range, length());
      const begun = monotonicNow();
      draw(still);
      setHidden(typing, !state.partnerTyping);
      if (atBottom) settle();
      else unseen += added;
      fillLater();
      if (added > 0) pace.took(monotonicNow() - begun);
      paintLatest();
    },
    /** Goes from message to message by an arrow key, Home or End. */
    walk(node, key) {
      if (key === 'Home') hold(oldest(length()));
      if (key === 'End' && !goesWithNewest(range)) hold(newest(length()));
      const to = { ArrowUp: () => neighbour(node, -1), ArrowDown: () => neighbour(node, 1), Home: () => messages()[0], End: () => messages().at(-1) }[key]();
      if (to) focusMessage(to);
    },
    /** Shows a message from elsewhere; `focus` when the keyboard asked for it. */
    glow(id, focus = false) {
      const at = indexOf(state.messages, String(id));
      if (at < 0) return;
      // With its surroundings, so that nothing is added on the way there.
      const far = !holds(range, Math.max(0, at - surroundings)) || !holds(range, Math.min(length() - 1, at + surroundings));
      if (far) {
        atBottom = false;
        hold(around(at, length()));
      }
      const node = list.querySelector(`[data-seq="${state.messages[at].seq}"]`);
      if (focus) focusMessage(node);
      node.scrollIntoView({ block: 'center', behavior: far || reducedMotion() ? 'auto' : 'smooth' });
      node.classList.remove('is-glowing');
      requestAnimationFrame(() => node.classList.add('is-glowing'));
      node.addEventListener('animationend', () => node.classList.remove('is-glowing'), { once: true });
    },
    clear() {
      rows.clear();
      state = nothing;
      range = newest(0);
      drawn = {};
      filled = false;
      atBottom = true;
      unseen = 0;
      newFrom = -1;
    },
  };
}

const whenIdle = (then) => (globalThis.requestIdleCallback ? requestIdleCallback(then, { timeout: 500 }) : setTimeout(then, 50));

const sizeOf = ({ clientWidth, clientHeight }) => `${clientWidth}×${clientHeight}`;
