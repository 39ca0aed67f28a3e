// The sheet of what was decided about this person: all that the server still keeps, newest first. Loaded when it is
// opened.

import { el, icon, setText } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { momentText, now } from '../lib/time.js';
import { isOver } from '../model/notices.js';
import { fetchLateWords } from '../ui/language.js';
import { brokenRule, openNotice, titleKey } from '../ui/notice-sheet.js';
import { openSheet } from '../ui/sheet.js';
import { withStyle } from '../ui/style.js';
import { askNotices, lookAt, noticeStore } from './notices.js';

const toAll = ['broadcast', 'maintenance'];

export async function openNotices() {
  await Promise.all([askNotices(), fetchLateWords(), withStyle('notices')]);
  const note = el('p', { class: 'sheet-note' });
  const list = el('ul', { class: 'notice-list' });
  const sheet = openSheet({ title: t('notices.title'), body: [list, note], test: 'notices-sheet' });
  const rows = noticeStore.get().list.filter(({ kind }) => !toAll.includes(kind));
  list.append(...rows.map(row));
  setText(note, t(rows.length > 0 ? 'notices.note' : 'notices.none'));
  return sheet.closed;
}

function row(notice) {
  const about = [brokenRule(notice), momentText(notice.from, language()), isOver(noticeStore.get(), notice, now()) && t('notices.over')].filter(Boolean).join(' · ');
  async function open() {
    const current = noticeStore.get().list.find(({ id }) => id === notice.id) ?? notice;
    if (!(await lookAt(current))) await openNotice(current, noticeStore);
  }
  return el(
    'li',
    {},
    el('button', { type: 'button', class: 'notice-row', test: 'notice-row', onclick: open }, el('span', { class: 'notice-row-title' }, t(`notices.${titleKey(notice)}`)), el('span', { class: 'notice-row-about' }, about), icon('right')),
  );
}
