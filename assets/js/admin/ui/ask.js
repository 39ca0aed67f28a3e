// A question before something is done: a choice or a text, and a way back.

import { el } from '../../lib/dom.js';
import { openSheet } from '../../ui/sheet.js';
import { button, field } from './fields.js';

let counter = 0;

function choices(options) {
  counter += 1;
  const name = `choice-${counter}`;
  return options.map(([value, words], at) => el('label', { class: 'op-choice' }, el('input', { type: 'radio', name, value, checked: at === 0, test: `choice-${value}` }), el('span', {}, words)));
}

/**
 * Resolves to what was chosen or written, or null. @param {{ title: string, text: string, go: string, options?: [string, string][], control?: HTMLInputElement | HTMLTextAreaElement, label?: string, danger?: boolean }} asked
 */
export async function askSheet({ title, text, go, options = [], control, label, danger = false }) {
  const radios = choices(options);
  const send = button(go, () => sheet.close(control ? control.value : options.length === 0 ? '' : radios.map((it) => it.firstChild).find((it) => it.checked).value), { kind: danger ? 'danger' : 'primary', test: 'ask-go' });
  const cancel = button('app.cancel', () => sheet.close(), { test: 'ask-cancel' });
  const body = [el('p', { class: 'sheet-note' }, text), ...radios, control && field(label, control)].filter(Boolean);
  const sheet = openSheet({ title, body, foot: [cancel, send], test: 'ask-sheet', className: 'sheet-ask' });
  (control ?? radios[0]?.firstChild ?? send).focus();
  return sheet.closed;
}
