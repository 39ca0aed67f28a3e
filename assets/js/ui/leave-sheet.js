// Asked of a person who starts a search while a conversation of theirs is open:
// back to it, or leave it, which the partner will see.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { openSheet } from './sheet.js';

/** Resolves to 'back', 'leave', or null when neither was chosen. */
export function askLeave(name) {
  const back = el('button', { type: 'button', class: 'button-primary', test: 'leave-back' }, t('leave.back'));
  const leave = el('button', { type: 'button', class: 'button-ghost', test: 'leave-confirm' }, t('leave.yes'));
  const sheet = openSheet({ title: t('home.resume', { name }), body: [el('p', {}, t('leave.ask', { name }))], foot: [leave, back], test: 'leave-sheet', className: 'sheet-ask' });
  back.addEventListener('click', () => sheet.close('back'));
  leave.addEventListener('click', () => sheet.close('leave'));
  back.focus();
  return sheet.closed;
}
