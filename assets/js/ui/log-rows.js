// The elements of the log, kept by key: only what changed is changed. Which rows
// there are is model/rows.js; scrolling is log.js.

import { el, reducedMotion, setText } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { dateText, dayName, now } from '../lib/time.js';
import { sameRow } from '../model/rows.js';
import { fillMessage } from './bubble.js';

const recallTime = 240;

export function mountRows(list) {
  const shown = new Map(); // key -> { node, row }

  function makeNode(row, names) {
    if (row.kind === 'day') return el('li', { class: 'day-line' }, dayText(row.at));
    if (row.kind === 'new') return el('li', { class: 'new-line', test: 'new-line', 'aria-live': 'off' }, t('chat.newLine'));
    const node = el('li', { tabindex: '-1', test: 'message' });
    fillMessage(node, row, names);
    return node;
  }

  function change(entry, row, names, still) {
    if (row.kind === 'day') {
      setText(entry.node, dayText(row.at));
    } else if (row.kind === 'new') {
      setText(entry.node, t('chat.newLine'));
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

  /** First what has to go: around a gap nothing moves, so nothing is announced. */
  function drop(rows) {
    const keep = new Set(rows.map((row) => row.key));
    for (const [key, entry] of shown) {
      if (keep.has(key)) continue;
      entry.node.remove();
      shown.delete(key);
    }
  }

  return {
    /** Walks rows and elements in step; new neighbours go in as one fragment. `enters`: what is new comes in by a motion. */
    place(rows, { names, still, repaint, enters }) {
      drop(rows);
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
          if (!still && enters) node.classList.add('is-new');
          shown.set(row.key, { node, row });
          (fresh ??= document.createDocumentFragment()).append(node);
          continue;
        }
        flush();
        if (repaint || !sameRow(entry.row, row)) change(entry, row, names, still);
        if (entry.node === cursor) cursor = cursor.nextSibling;
        else list.insertBefore(entry.node, cursor);
      }
      flush();
    },
    clear() {
      shown.clear();
      list.replaceChildren();
    },
  };
}

function dayText(ms) {
  const name = dayName(ms, now());
  return name ? t(`day.${name}`) : dateText(ms, language());
}
