// Shows what this person was told (pages/notices.js): lines on the page, the sheet of one notice, and on home the
// page of a ban. Loaded when there is something to show. What operators wrote is text, in its own direction.

import { el, icon } from '../lib/dom.js';
import { language, onLanguage, t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';
import { local } from '../lib/storage.js';
import { now, untilText } from '../lib/time.js';
import { holds, markRead, noticeOf, toRead } from '../model/notices.js';
import { acknowledgeNotice } from '../net/http.js';
import { mountBanPage } from './ban-page.js';
import { fetchLateWords } from './language.js';
import { openNotice, ruleText, titleKey } from './notice-sheet.js';
import { withStyle } from './style.js';
import { announce, toast } from './toast.js';

const keepRead = 50;
const longestTimer = 3600_000;

/** What was read or put away here. */
const readHere = () => local.get('read', []);

/** @param {{ get: () => import('../model/notices.js').Notices, set: (next: import('../model/notices.js').Notices) => void, ask: () => void }} store */
export async function mountNotices({ get, set, ask }) {
  await Promise.all([fetchLateWords(), withStyle('notices')]);
  const boxes = placeBoxes();
  const home = document.querySelector('main.home');
  const banPage = home && mountBanPage(home, { get, set });
  let shown = '';
  let said = '';
  let timer = null;
  let reading = null;
  let wasMuted = false;

  const isRead = ({ id, read }) => read || readHere().includes(id);

  async function confirm(notice) {
    local.set('read', [...readHere().filter((id) => id !== notice.id), notice.id].slice(-keepRead));
    set(markRead(get(), notice.id));
    // What is told to all is put away here alone. Of the rest the server may tell again, and it is known here.
    if (notice.kind !== 'broadcast') await acknowledgeNotice(notice.id).catch(() => {});
  }

  async function readAll() {
    for (const notice of toRead(get()).filter((it) => !isRead(it))) {
      if ((await openNotice(notice, { get, set, mustConfirm: true })) !== true) return false;
      await confirm(notice);
    }
    return true;
  }

  /** Shows what has to be read before a search. Resolves to whether it was. */
  function readFirst() {
    reading ??= readAll().finally(() => (reading = null));
    return reading;
  }

  /** Opens one, which is read by that; of a warning a button says it. Resolves to true when it is closed. */
  async function look(notice) {
    const unread = !isRead(notice);
    const mustConfirm = unread && notice.kind === 'warning';
    const closed = openNotice(notice, { get, set, mustConfirm });
    if (mustConfirm ? (await closed) === true : unread) await confirm(notice);
    await closed;
    return true;
  }

  /** What stands on the page now, the gravest first: two at most, or there would be no page left. */
  function lines(state) {
    const muted = holds(state.mute, now());
    const warning = toRead(state).find((notice) => !isRead(notice));
    const fresh = (...kinds) => state.list.find((notice) => kinds.includes(notice.kind) && holds(notice, now()) && !isRead(notice));
    // What is said to one person comes before what is said to all.
    const news = fresh('lifted', 'outcome') ?? fresh('broadcast');
    return [muted && muteLine(state), warning && { kind: 'warning', text: t('notices.line.warning'), onLook: readFirst }, news && newsLine(news)].filter(Boolean).slice(0, 2);
  }

  function muteLine(state) {
    const notice = noticeOf(state, 'mute', now());
    const { until, rule } = state.mute;
    const text = until === null ? t('notices.line.mute') : t('notices.line.muteUntil', { time: untilText(until, language()) });
    return { kind: 'mute', text, why: rule && ruleText(rule), onLook: notice && (() => look(notice)) };
  }

  function newsLine(notice) {
    const away = { onAway: () => confirm(notice) };
    if (notice.kind === 'broadcast') return { kind: 'broadcast', own: notice.text, ...away };
    const key = titleKey(notice);
    const text = key === 'outcome' ? (notice.acted ? 'acted' : 'looked') : key;
    return { kind: key, text: t(`notices.line.${text}`), onLook: () => look(notice), ...away };
  }

  function show(all) {
    const key = JSON.stringify([language(), all]);
    if (key === shown) return;
    shown = key;
    const had = boxes.some((box) => box.contains(document.activeElement));
    for (const box of boxes) {
      box.replaceChildren(...all.map(line));
      // They come by themselves, and move what stands around them.
      appeared(box.parentElement, true);
    }
    if (had) boxes.find((box) => box.offsetParent)?.querySelector('button')?.focus();
    const words = all.map(({ text, own, why }) => [text ?? own, why].filter(Boolean).join(' ')).join(' ');
    if (words !== said) announce(words);
    said = words;
  }

  /** What holds until a moment goes by itself. */
  function watch(state) {
    clearTimeout(timer);
    const ends = [state.mute, state.ban, ...state.list].flatMap((it) => (it?.until > now() ? [it.until] : []));
    if (ends.length > 0) timer = setTimeout(ended, Math.min(longestTimer, Math.max(250, Math.min(...ends) - now() + 250)));
  }

  function ended() {
    if (get().ban && !holds(get().ban, now())) ask();
    update();
  }

  function update() {
    const state = get();
    banPage?.update();
    show(lines(state));
    watch(state);
    const isMuted = holds(state.mute, now());
    if (wasMuted && !isMuted) toast(t('notices.line.free'));
    wasMuted = isMuted;
  }

  // Back in the language of the page, its late words may be missing still.
  onLanguage(() => fetchLateWords().then(update, () => {}));
  return { update, readFirst, look };
}

/** Where lines stand: on home, on the waiting screen, and above the field of a conversation. */
function placeBoxes() {
  const box = () => el('div', { class: 'notice-lines' });
  const places = [['.home .hero', 'append'], ['.matching-main', 'before'], ['.composer', 'before']];
  return places.flatMap(([selector, where]) => {
    const node = document.querySelector(selector);
    if (!node) return [];
    const made = box();
    node[where](made);
    return [made];
  });
}

function line({ kind, text, own, why, onLook, onAway }) {
  const words = own === undefined ? el('p', { class: 'notice-line-text' }, text, why && el('span', { class: 'notice-line-why' }, why)) : el('p', { class: 'notice-line-text is-own', dir: 'auto' }, own);
  const node = el(
    'div',
    { class: 'notice-line', test: `notice-${kind}` },
    words,
    onLook && el('button', { type: 'button', class: 'button-text', test: 'notice-look', onclick: () => onLook() }, t('notices.look')),
    onAway && el('button', { type: 'button', class: 'button-icon', test: 'notice-away', 'aria-label': t('notices.away'), onclick: () => onAway() }, icon('close')),
  );
  node.dataset.kind = kind;
  return node;
}
