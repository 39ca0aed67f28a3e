// "Forget this browser": asks once, saying what goes, then has the server forget
// it, empties what is kept here, and begins again at home.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { local, tab } from '../lib/storage.js';
import { forgetBrowser } from '../net/http.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

const effects = ['forget.rooms', 'forget.blocks', 'forget.here', 'forget.stays'];

let underway = false; // this tab asked for it

/** The server says that another tab asked for it: nothing of the rooms stays in this one. */
export function wasForgotten() {
  if (underway) return;
  tab.clear();
  location.replace('/');
}

export const forgetThisBrowser = oneAtATime(async () => {
  if (!(await ask())) return;
  underway = true;
  try {
    await forgetBrowser();
  } catch {
    underway = false;
    toast(t('forget.failed'));
    return;
  }
  // Over plain http the server's word to clear storage does not count.
  local.clear();
  tab.clear();
  location.replace('/');
});

async function ask() {
  const yes = el('button', { type: 'button', class: 'button-danger', test: 'forget-confirm' }, t('forget.yes'));
  const no = el('button', { type: 'button', class: 'button-ghost', test: 'forget-cancel' }, t('app.cancel'));
  const list = el('ul', { class: 'sheet-list' }, ...effects.map((key) => el('li', {}, t(key))));
  const sheet = openSheet({ title: t('forget.title'), body: [list], foot: [no, yes], test: 'forget-sheet', className: 'sheet-ask' });
  yes.addEventListener('click', () => sheet.close(true));
  no.addEventListener('click', () => sheet.close());
  no.focus();
  return (await sheet.closed) === true;
}
