// "Clear and start over": asks once, saying what goes, then has the server forget
// it, empties what is kept here, and begins again at home. Loaded when it is asked for.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { local, tab } from '../lib/storage.js';
import { forgetBrowser } from '../net/http.js';
import { fetchLateWords, forgetLanguage } from './language.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

const effects = ['forget.rooms', 'forget.blocks', 'forget.here', 'forget.stays'];

const wordAfter = 2000;

/** `hearOfIt(listener)`: who is told when the browser's sockets hear that it is done; null: none any more. */
export async function forgetThisBrowser(hearOfIt) {
  await fetchLateWords();
  if (!(await ask())) return;
  let hear = () => {};
  const heard = new Promise((resolve) => (hear = resolve));
  hearOfIt(hear);
  try {
    await forgetBrowser();
  } catch {
    // It may be done although the answer was lost: then the sockets hear of it.
    setTimeout(hear, wordAfter, false);
    if (!(await heard)) {
      hearOfIt(null);
      toast(t('forget.failed'));
      return;
    }
  }
  // Over plain http the server's word to clear storage does not count.
  local.clear();
  tab.clear();
  forgetLanguage();
  location.replace('/?cleared');
}

async function ask() {
  const yes = el('button', { type: 'button', class: 'button-danger', test: 'forget-confirm' }, t('forget.yes'));
  const no = el('button', { type: 'button', class: 'button-ghost', test: 'forget-cancel' }, t('app.cancel'));
  const list = el('ul', { class: 'sheet-list' }, ...effects.map((key) => el('li', {}, t(key))));
  const sheet = openSheet({ title: t('menu.forget'), body: [list], foot: [no, yes], test: 'forget-sheet', className: 'sheet-ask' });
  yes.addEventListener('click', () => sheet.close(true));
  no.addEventListener('click', () => sheet.close());
  no.focus();
  return (await sheet.closed) === true;
}
