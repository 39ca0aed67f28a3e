// A question before something is done: a choice or a text, and a way back.

import { el } from '../../lib/dom.js';
import { openSheet } from '../../ui/sheet.js';
import { button, field } from './fields.js';

let counter = 0;
const open = new Set(); // the sheets that wait for an answer

function choices(options) {
  counter += 1;
  const name = `choice-${counter}`;
  return options.map(([value, words], at) => el('label', { class: 'op-choice' }, el('input', { type: 'radio', name, value, checked: at === 0, test: `choice-${value}` }), el('span', {}, words)));
}

/**
 * Resolves to null, or to what was chosen and what was written. With `needed` it is not sent without a word.
 * @param {{ title: string, text: string, go: string, options?: [string, string][], control?: HTMLInputElement | HTMLTextAreaElement, label?: string, hint?: string, needed?: boolean, danger?: boolean }} asked
 * @returns {Promise<{ chosen: string | null, words: string } | null>}
 */
export async function askSheet({ title, text, go, options = [], control, label, hint, needed = false, danger = false }) {
  const radios = choices(options);
  const answer = () => ({ chosen: radios.map((it) => it.firstChild).find((it) => it.checked)?.value ?? null, words: control?.value ?? '' });
  const send = button(go, () => sheet.close(answer()), { kind: danger ? 'danger' : 'primary', test: 'ask-go' });
  const paint = () => {
    send.disabled = needed && answer().words.trim() === '';
  };
  control?.addEventListener('input', paint);
  paint();
  const cancel = button('app.cancel', () => sheet.close(), { test: 'ask-cancel' });
  const body = [el('p', { class: 'sheet-note' }, text), ...radios, control && field(label, control, { hint })].filter(Boolean);
  const sheet = openSheet({ title, body, foot: [cancel, send], test: 'ask-sheet', className: 'sheet-ask' });
  (control ?? radios[0]?.firstChild ?? send).focus();
  open.add(sheet);
  return sheet.closed.finally(() => open.delete(sheet));
}

/** Closes what is asked, as by its cancel button: what it is about is not on the page any more. */
export function dropQuestions() {
  for (const sheet of open) sheet.close();
}
