// The sheet of people this browser blocked: what they were called there, when, and
// a way to lift each. The list is the server's, the names are kept here. Loaded when it is opened.

import { avatarUrl, el, setText } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { local } from '../lib/storage.js';
import { clock, dateText, now } from '../lib/time.js';
import { blockRows, stillBlocked, withoutName } from '../model/blocked-names.js';
import { getBlocks, liftBlock } from '../net/http.js';
import { rememberSide, sideOf } from '../pages/room-storage.js';
import { blockedNames } from './kept-names.js';
import { fetchLateWords } from './language.js';
import { openSheet } from './sheet.js';
import { withStyle } from './style.js';
import { toast } from './toast.js';

export async function openBlockedList() {
  await Promise.all([withStyle('blocked-list'), fetchLateWords()]);
  const note = el('p', { class: 'sheet-note' }, t('blocked.loading'));
  const list = el('ul', { class: 'blocked-list' });
  const sheet = openSheet({ title: t('blocked.title'), body: [list, note], test: 'blocked-sheet' });
  const heading = sheet.dialog.querySelector('.sheet-title');
  let rows = [];

  function show() {
    setText(heading, rows.length > 0 ? t('blocked.count', { n: rows.length }) : t('blocked.none'));
    setText(note, t(rows.length > 0 ? 'blocked.note' : 'blocked.noneNote'));
    list.replaceChildren(...rows.map(rowOf));
  }

  function rowOf(row) {
    const lift = el('button', { type: 'button', class: 'button-ghost', test: 'blocked-lift' }, t('blocked.lift'));
    lift.addEventListener('click', oneAtATime(() => liftRow(row, lift)));
    const name = row.name === null ? el('span', { class: 'blocked-unnamed' }, t('blocked.unnamed')) : el('bdi', { class: 'blocked-name' }, row.name);
    return el(
      'li',
      { class: 'blocked-row' },
      row.avatar ? el('img', { class: 'avatar', src: avatarUrl(row.avatar), alt: '', width: 40, height: 40 }) : el('span', { class: 'blocked-blank' }),
      el('span', { class: 'blocked-words' }, name, el('span', { class: 'blocked-when' }, `${dateText(row.at, language())} ${clock(row.at)}`)),
      lift,
    );
  }

  async function liftRow(row, button) {
    try {
      await liftBlock(row.room);
    } catch {
      toast(t('app.failed'));
      return;
    }
    local.set('blocked', withoutName(blockedNames(), row.room));
    if (sideOf(row.room).blocked) rememberSide(row.room, { blocked: false });
    const at = rows.indexOf(row);
    rows = rows.filter((other) => other !== row);
    const hadFocus = button.contains(document.activeElement);
    show();
    toast(t('blocked.lifted'));
    // The keyboard goes on with the next one.
    if (hadFocus) (list.querySelectorAll('button')[Math.min(at, rows.length - 1)] ?? sheet.dialog.querySelector('button')).focus();
  }

  getBlocks().then(
    (blocks) => {
      local.set('blocked', stillBlocked(blockedNames(), blocks, now()));
      rows = blockRows(blocks, blockedNames());
      show();
    },
    () => setText(note, t('app.failed')),
  );
  return sheet.closed;
}
