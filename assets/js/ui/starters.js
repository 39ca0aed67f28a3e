// Three first sentences above the composer, under a question that folds them away.
// A press puts one into the field, where it can be changed; it never sends.

import { byTest, el, setAttr, setHidden } from '../lib/dom.js';
import { appeared } from '../lib/press.js';

export function mountStarters(section, { onChoose }) {
  const rows = section.querySelector('[data-slot="starters"]');
  const title = byTest('starters-title', section);
  let shown = '';
  let opened = null; // by a press on the question, or closed by one; null: as it is given
  let given = false; // folded
  title.addEventListener('click', () => {
    opened = rows.hidden;
    fold();
  });

  function fold() {
    const open = opened ?? !given;
    setHidden(rows, !open);
    setAttr(title, 'aria-expanded', open);
  }

  return {
    /** `texts`: what to offer; null: nothing now. `folded`: the question alone, which opens them. */
    update(texts, folded = false) {
      const open = texts !== null;
      // They come by themselves, where a finger may be.
      if (open && section.hidden) appeared(section, true);
      setHidden(section, !open);
      if (folded !== given) opened = null;
      given = folded;
      fold();
      const key = open ? JSON.stringify(texts) : shown;
      if (key === shown) return;
      shown = key;
      rows.replaceChildren(...texts.map(starter));
    },
  };

  function starter(text, index) {
    return el('button', { type: 'button', class: 'starter', test: `starter-${index}`, onclick: () => onChoose(text) }, el('bdi', {}, text));
  }
}
