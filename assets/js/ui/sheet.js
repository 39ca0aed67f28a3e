// A modal <dialog>: a card in the middle on a desktop, a sheet from below on a
// phone. The browser traps the focus, Esc closes, focus goes back afterwards.

import { el, icon } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';

let counter = 0;

/**
 * Opens a sheet. `body` and `foot` are arrays of nodes. Resolves, when it
 * closes, to what was passed to `close(value)`, or null.
 */
export function openSheet({ title, body, foot = [], test, className = '' }) {
  counter += 1;
  const opener = document.activeElement;
  const heading = el('h2', { class: 'sheet-title', id: `sheet-${counter}` }, title);
  const shut = el('button', { type: 'button', class: 'button-icon', 'aria-label': t('app.close'), test: 'sheet-close' }, icon('close'));
  const dialog = el(
    'dialog',
    { class: `sheet ${className}`, 'aria-labelledby': heading.id, test },
    el('div', { class: 'sheet-head' }, heading, shut),
    el('div', { class: 'sheet-body' }, ...body),
    foot.length > 0 && el('div', { class: 'sheet-foot' }, ...foot),
  );
  let value = null;
  const closed = new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      opener?.focus?.({ preventScroll: true });
      resolve(value);
    });
  });
  const close = (result = null) => {
    value = result;
    dialog.close();
  };
  shut.addEventListener('click', () => close());
  // A press that starts and ends on the backdrop closes, as people expect.
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target !== dialog) return;
    dialog.addEventListener('pointerup', (up) => up.target === dialog && close(), { once: true });
  });
  document.body.append(dialog);
  dialog.showModal();
  appeared(dialog);
  return { dialog, close, closed };
}
