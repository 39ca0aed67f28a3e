// The conversations of this tab that ended before the last one, and are not erased: the
// name met there, how long it is still kept, and the way back to each. Loaded when it is opened.

import { avatarUrl, el, setText } from '../lib/dom.js';
import { duration, t } from '../lib/i18n.js';
import { deviceTime } from '../lib/time.js';
import { fetchLateWords } from './language.js';
import { openSheet } from './sheet.js';

/** `askFor(id)` resolves to a room that has ended, or to nothing; `onChoose(id)` is called before its page is opened. */
export async function openEarlier({ ids, askFor, onChoose }) {
  await fetchLateWords();
  const rooms = (await Promise.all(ids.map(askFor))).filter(Boolean);
  const note = el('p', { class: 'sheet-note' });
  setText(note, t(rooms.length > 0 ? 'earlier.note' : 'earlier.none'));
  const rows = rooms.map((room) =>
    el(
      'a',
      { class: 'resume is-ended', test: 'earlier-room', href: '/chat/', onclick: () => onChoose(room.room_id) },
      el('img', { class: 'resume-avatar', src: avatarUrl(room.partner?.avatar), alt: '', width: 36, height: 36 }),
      el('span', { class: 'resume-words' }, el('bdi', { class: 'resume-text' }, room.partner?.nickname ?? ''), el('span', { class: 'resume-note' }, t('home.endedNote', { t: duration(room.erasesAt - deviceTime()) }))),
      el('span', { class: 'resume-go' }, t('home.endedGo')),
    ),
  );
  return openSheet({ title: t('home.earlier'), body: [...rows, note], test: 'earlier-sheet', className: 'sheet-earlier' }).closed;
}
