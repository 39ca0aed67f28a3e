// Asks once before a block: the conversation ends by it, and home leads back to it no more.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { openSheet } from './sheet.js';

/** Resolves to true when the person means it. */
export async function askBlock(name, { isOver }) {
  const yes = el('button', { type: 'button', class: 'button-danger', test: 'block-confirm' }, t('menu.block'));
  const no = el('button', { type: 'button', class: 'button-ghost', test: 'block-cancel' }, t('app.cancel'));
  const sheet = openSheet({ title: t('block.title', { name }), body: [el('p', {}, t(isOver ? 'block.askOver' : 'block.ask')), el('p', {}, t('block.way'))], foot: [no, yes], test: 'block-sheet', className: 'sheet-ask' });
  yes.addEventListener('click', () => sheet.close(true));
  no.addEventListener('click', () => sheet.close());
  no.focus();
  return (await sheet.closed) === true;
}
