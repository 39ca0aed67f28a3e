// A short word at the bottom that goes away by itself, and the page's one
// status region for screen readers. Never for errors: those stay where they are.

import { el, setText } from '../lib/dom.js';

let node = null;
let timer = null;

/** Shows it, and answers how to take it back before its time. */
export function toast(text) {
  hide();
  const shown = el('p', { class: 'toast', test: 'toast', role: 'status' }, text);
  // Inside the dialog that lies on top, else it would lie behind its backdrop; dialogs stand in the order they were opened in.
  ([...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body).append(shown);
  node = shown;
  timer = setTimeout(hide, 4000);
  return () => node === shown && hide();
}

function hide() {
  clearTimeout(timer);
  node?.remove();
  node = null;
}

/** Says something to a screen reader without showing it. */
export function announce(text) {
  const region = document.querySelector('[data-slot="status"]');
  if (!region) return;
  // Said again, it has to change.
  setText(region, '');
  setText(region, text);
}
