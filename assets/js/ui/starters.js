// Three first sentences above the composer. A press puts one into the field,
// where it can be changed; it never sends.

import { el, setHidden } from '../lib/dom.js';
import { appeared } from '../lib/press.js';

export function mountStarters(section, { onChoose }) {
  const rows = section.querySelector('[data-slot="starters"]');
  let shown = '';
  return {
    /** `texts`: what to offer; null: nothing now. */
    update(texts) {
      const open = texts !== null;
      // They come by themselves, where a finger may be.
      if (open && section.hidden) appeared(section, true);
      setHidden(section, !open);
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
