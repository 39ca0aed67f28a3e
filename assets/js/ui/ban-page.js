// In the place of home, for a person who is banned: what was decided, until when, how to appeal, and what they can
// still do. It asks for nothing by itself and goes when the ban does.

import { el } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { now, untilText } from '../lib/time.js';
import { answerTo, holds, noticeOf } from '../model/notices.js';
import { getSite } from '../net/http.js';
import { appealPart } from './appeal.js';
import { forgetThisBrowser } from './forget.js';
import { reportedNames } from './kept-names.js';
import { answerPart, facts, ruleText, words } from './notice-sheet.js';
import { openRules } from './rules.js';
import { toast } from './toast.js';

/** `home` is the page that it stands for. */
export function mountBanPage(home, { get, set }) {
  let page = null;
  let shown = '';

  function update() {
    const state = get();
    if (holds(state.ban, now())) show(state);
    else if (page) close();
  }

  function show(state) {
    const notice = noticeOf(state, 'ban', now());
    const key = JSON.stringify([language(), state.ban, notice, notice && answerTo(state, notice)]);
    if (key === shown) return;
    const isNew = page === null;
    const hadFocus = page?.contains(document.activeElement);
    shown = key;
    const made = build(state, notice);
    if (page) page.replaceWith(made);
    else home.after(made);
    page = made;
    home.hidden = true;
    home.removeAttribute('id');
    if (isNew || hadFocus) page.querySelector('h1').focus();
  }

  function close() {
    page.remove();
    page = null;
    shown = '';
    home.id = 'main';
    home.hidden = false;
    toast(t('notices.backAgain'));
  }

  function build(state, notice) {
    const { until, rule } = state.ban;
    const end = until === null ? t('notices.banOpen') : t('notices.banUntil', { time: untilText(until, language()) });
    return el(
      'main',
      { id: 'main', class: 'ban', tabindex: '-1', test: 'ban' },
      el('h1', { class: 'calm-title', tabindex: '-1' }, t('notices.ban')),
      el('p', { class: 'ban-end', test: 'ban-end' }, end),
      el('p', { class: 'ban-what' }, t('notices.what.ban')),
      el(
        'div',
        { class: 'ban-card' },
        notice && words(notice.text),
        notice ? facts(notice) : rule && el('p', {}, ruleText(rule)),
        ...(notice ? [appealPart(notice, { get, set }), answerPart(state, notice)] : []),
      ),
      el('h2', { class: 'ban-heading' }, t('notices.still')),
      stillPossible(),
      el('p', { class: 'sheet-note' }, t('notices.forget')),
    );
  }

  return { update };
}

function stillPossible() {
  const row = (test, text, load) => el('button', { type: 'button', class: 'button-ghost', test, onclick: () => load().catch(() => toast(t('app.failed'))) }, t(text));
  return el(
    'div',
    { class: 'ban-rows' },
    reportedNames().length > 0 && row('ban-reports', 'guide.reports', async () => (await import('./report-list.js')).openReports()),
    row('ban-rules', 'guide.rules', async () => openRules(await getSite())),
    row('ban-forget', 'menu.forget', async () => forgetThisBrowser()),
  );
}
