// How a message is touched: arrow keys, Enter, right click, long press, swipe
// to the end of the line, a double tap, a tap on a quote or on retry. Reports what was
// meant; changes nothing. A double click marks a word, as everywhere: a mouse has the menu.

import { el, icon, isMirrored, startOf } from '../lib/dom.js';
import { monotonicNow } from '../lib/time.js';
import { isMarking } from './marking.js';

const longPress = 450;
const slop = 10;
const swipeEnough = 56;
const doubleTap = 300;
const sameSpot = 24;

const mirror = () => (isMirrored() ? -1 : 1);

export function mountLogGestures(log, { onMenu, onDoubleTap, onReply, onQuote, onRetry, onEscape }) {
  const { list } = log;
  let touch = null;
  let tapped = null; // the last tap: { message, x, y, at }
  let pressedAt = -Infinity;
  let held = false; // the finger that opened a menu is still down
  const messageOf = (target) => target.closest?.('.message') ?? null;

  list.addEventListener('click', (event) => {
    const message = messageOf(event.target);
    if (!message) return;
    const quote = event.target.closest('.quote');
    if (quote) onQuote(quote.dataset.target);
    else if (event.target.closest('button.meta-failed')) onRetry(message);
  });

  // A mouse finds the menu beside the message; one button serves them all.
  const more = el('button', { type: 'button', class: 'message-more', tabindex: '-1', 'aria-hidden': 'true' }, icon('more'));
  list.addEventListener('pointerover', (event) => {
    if (event.pointerType !== 'mouse') return;
    const bubble = messageOf(event.target)?.querySelector('.bubble');
    if (bubble && more.parentNode !== bubble) bubble.append(more);
  });
  list.addEventListener('pointerleave', () => more.remove());
  more.addEventListener('click', () => {
    const box = more.getBoundingClientRect();
    onMenu(messageOf(more), { x: startOf(box), y: box.bottom + 4 });
  });

  list.addEventListener('contextmenu', (event) => {
    const message = messageOf(event.target);
    if (!message || !event.target.closest('.bubble') || isMarking(event.target)) return;
    event.preventDefault();
    cancelTouch();
    // Android says contextmenu after our own long press has opened the menu.
    if (monotonicNow() - pressedAt < 1000) return;
    onMenu(message, { x: event.clientX, y: event.clientY });
  });

  list.addEventListener('keydown', (event) => {
    const message = messageOf(event.target);
    if (!message || event.target !== message) return;
    if (['ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) {
      event.preventDefault();
      log.walk(message, event.key);
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      const box = message.querySelector('.bubble').getBoundingClientRect();
      onMenu(message, { x: startOf(box, 8), y: box.bottom });
    } else if (event.key === 'Escape') {
      onEscape();
    }
  });

  list.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'mouse') return;
    const message = messageOf(event.target);
    if (!message || !event.target.closest('.bubble') || isMarking(event.target)) return;
    cancelTouch();
    held = false;
    touch = { message, bubble: message.querySelector('.bubble'), x: event.clientX, y: event.clientY, dx: 0, swiping: false };
    touch.timer = setTimeout(() => {
      const { x, y } = touch;
      cancelTouch();
      pressedAt = monotonicNow();
      held = true;
      onMenu(message, { x, y });
    }, longPress);
  });

  list.addEventListener('pointermove', (event) => {
    if (!touch) return;
    const dx = (event.clientX - touch.x) * mirror();
    const dy = event.clientY - touch.y;
    if (Math.hypot(dx, dy) > slop) clearTimeout(touch.timer);
    if (!touch.swiping && Math.abs(dy) > slop && Math.abs(dy) > Math.abs(dx)) {
      cancelTouch();
      return;
    }
    if (dx > slop) touch.swiping = true;
    touch.dx = dx;
    if (touch.swiping) touch.bubble.style.setProperty('transform', `translateX(${mirror() * Math.max(0, Math.min(72, dx))}px)`);
  });

  list.addEventListener('pointerup', (event) => {
    if (!touch) return;
    const { message, swiping, dx, x, y } = touch;
    cancelTouch();
    if (swiping && dx >= swipeEnough) onReply(message);
    const still = Math.hypot(event.clientX - x, event.clientY - y) <= slop;
    if (!swiping && still) tap(event, message);
    else tapped = null;
  });

  /** A finger came and went. What a single tap is for already is no part of a double one. */
  function tap(event, message) {
    const { clientX: x, clientY: y } = event;
    const before = tapped;
    const now = monotonicNow();
    tapped = event.target.closest('.quote, button') ? null : { message, x, y, at: now };
    if (!tapped || before?.message !== message || now - before.at > doubleTap || Math.hypot(x - before.x, y - before.y) > sameSpot) return;
    tapped = null;
    onDoubleTap(message);
  }

  list.addEventListener('pointercancel', cancelTouch);
  // The menu may lie under that finger by now: to let go presses nothing of it.
  list.addEventListener('touchend', (event) => {
    if (held) event.preventDefault();
    held = false;
  });

  function cancelTouch() {
    if (!touch) return;
    clearTimeout(touch.timer);
    touch.bubble.style.removeProperty('transform');
    touch = null;
  }
}
