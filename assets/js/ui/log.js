// The list of messages: keeps its elements by key and changes only what
// changed, stays at the bottom while one is there, never jumps otherwise.

import { byTest, el, reducedMotion, setHidden, setText } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { dateText, dayName } from '../lib/time.js';
import { logRows, sameRow } from '../model/rows.js';
import { fillMessage } from './bubble.js';

const nearBottom = 48;
const recallTime = 240;

export function mountLog(main, { onSeen }) {
  const log = byTest('log', main);
  const list = log.querySelector('[data-slot="rows"]');
  const latest = byTest('latest', main);
  const typing = byTest('typing', log);
  const shown = new Map(); // key -> { node, row }
  let atBottom = true;
  let unseen = 0;
  let lang = language();
  let roving = null;

  log.addEventListener('scroll', onScroll, { passive: true });
  latest.addEventListener('click', () => toBottom(true));
  // The keyboard or a growing composer makes the log smaller: stay at the end.
  new ResizeObserver(() => atBottom && toBottom(false)).observe(log);

  function onScroll() {
    atBottom = log.scrollHeight - log.scrollTop - log.clientHeight < nearBottom;
    if (atBottom && unseen > 0) {
      unseen = 0;
      onSeen();
    }
    paintLatest();
  }

  function toBottom(smooth) {
    log.scrollTo({ top: log.scrollHeight, behavior: smooth && !reducedMotion() ? 'smooth' : 'auto' });
    if (!smooth) atBottom = true;
  }

  function paintLatest() {
    setHidden(latest, atBottom);
    if (!atBottom) setText(latest, unseen > 0 ? t('chat.newMessages', { n: unseen }) : t('chat.toLatest'));
  }

  function makeNode(row, names) {
    if (row.kind === 'day') return el('li', { class: 'day-line' }, dayText(row.at));
    const node = el('li', { tabindex: '-1', test: 'message' });
    fillMessage(node, row, names);
    return node;
  }

  function change(entry, row, names, still) {
    if (row.kind === 'day') {
      setText(entry.node, dayText(row.at));
    } else if (row.recalled && !entry.row.recalled && !still && !document.hidden && !reducedMotion()) {
      fadeAway(entry, names);
    } else {
      fillMessage(entry.node, row, names);
    }
    entry.row = row;
  }

  /** Fog closes over the words; then they are gone from the page as well. */
  function fadeAway(entry, names) {
    const bubble = entry.node.querySelector('.bubble');
    bubble.animate([{ filter: 'blur(0)', opacity: 1 }, { filter: 'blur(6px)', opacity: 0 }], { duration: recallTime, fill: 'forwards' });
    // A timer, not the animation's end: that may never come in a hidden tab.
    setTimeout(() => fillMessage(entry.node, entry.row, names), recallTime);
  }

  /** Walks rows and elements in step; new neighbours go in as one fragment. */
  function place(rows, names, still) {
    // First what has to go: around a gap nothing moves, so nothing is announced.
    const keep = new Set(rows.map((row) => row.key));
    for (const [key, entry] of shown) {
      if (keep.has(key)) continue;
      entry.node.remove();
      shown.delete(key);
    }
    let cursor = list.firstChild;
    let fresh = null;
    const flush = () => {
      if (fresh) list.insertBefore(fresh, cursor);
      fresh = null;
    };
    for (const row of rows) {
      const entry = shown.get(row.key);
      if (!entry) {
        const node = makeNode(row, names);
        if (!still) node.classList.add('is-new');
        shown.set(row.key, { node, row });
        (fresh ??= document.createDocumentFragment()).append(node);
        continue;
      }
      flush();
      if (!sameRow(entry.row, row) || names.repaint) change(entry, row, names, still);
      if (entry.node === cursor) cursor = cursor.nextSibling;
      else list.insertBefore(entry.node, cursor);
    }
    flush();
  }

  /** Tab reaches one message: the newest, unless somebody is walking in the log. */
  function updateRoving() {
    const walking = roving?.isConnected && list.contains(document.activeElement);
    const newest = list.querySelector('.message:last-of-type');
    if (walking || newest === roving) return;
    if (roving) roving.tabIndex = -1;
    roving = newest;
    if (roving) roving.tabIndex = 0;
  }

  return {
    element: log,
    list,
    isAtBottom: () => atBottom,
    toBottom,
    /**
     * `still` while history is filled in: no motion, no live announcements.
     * Another language is no news either.
     */
    update(state, { still, names, added = 0 }) {
      const repaint = lang !== language();
      lang = language();
      const wasAtBottom = atBottom;
      log.setAttribute('aria-live', still || repaint ? 'off' : 'polite');
      place(logRows(state), { ...names, repaint }, still);
      setHidden(typing, !state.partnerTyping);
      updateRoving();
      if (wasAtBottom) toBottom(false);
      else unseen += added;
      paintLatest();
    },
    /** Makes `node` the one message that Tab reaches. */
    focusMessage(node) {
      if (roving) roving.tabIndex = -1;
      roving = node;
      node.tabIndex = 0;
      node.focus({ preventScroll: true });
      node.scrollIntoView({ block: 'nearest' });
    },
    /** Shows a message from elsewhere; `focus` when the keyboard asked for it. */
    glow(seq, focus = false) {
      const node = list.querySelector(`[data-seq="${CSS.escape(String(seq))}"]`);
      if (!node) return;
      if (focus) this.focusMessage(node);
      node.scrollIntoView({ block: 'center', behavior: reducedMotion() ? 'auto' : 'smooth' });
      node.classList.remove('is-glowing');
      requestAnimationFrame(() => node.classList.add('is-glowing'));
      node.addEventListener('animationend', () => node.classList.remove('is-glowing'), { once: true });
    },
    clear() {
      shown.clear();
      list.replaceChildren();
      atBottom = true;
      unseen = 0;
    },
  };
}

function dayText(ms) {
  const name = dayName(ms, Date.now());
  return name ? t(`day.${name}`) : dateText(ms, language());
}
