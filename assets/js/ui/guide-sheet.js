// The guide sheet: how meeting, talking and leaving work. Loaded when it is opened (ui/guide.js).

import { el } from '../lib/dom.js';
import { duration, t } from '../lib/i18n.js';
import { local } from '../lib/storage.js';
import { reportedNames } from './kept-names.js';
import { keptFor, privacyLink } from './privacy.js';
import { openRules } from './rules.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

export function openGuideSheet(site) {
  const parts = [
    ['guide.h1', ['guide.p1']],
    ['guide.h2', ['guide.p2', 'guide.p3']],
    ['guide.h3', ['guide.p4', ...(site.options.reports === false ? ['guide.noReports'] : []), 'guide.p5']],
  ];
  const body = parts.flatMap(([heading, texts]) => [
    el('h3', { class: 'sheet-heading' }, t(heading)),
    ...texts.map((key) => el('p', {}, t(key, { t: keptFor(site), wait: duration(site.reconnect_grace_ms) }))),
  ]);
  body.push(el('p', {}, privacyLink(t('guide.privacy'))));
  const button = (test, text, onclick) => el('button', { type: 'button', class: 'button-ghost', test, onclick }, t(text));
  // Of a list that cannot be had it is said that it cannot.
  const list = (test, text, load) => button(test, text, () => load().catch(() => toast(t('app.failed'))));
  const hasReports = site.options.reports || reportedNames().length > 0;
  const foot = [
    button('guide-rules', 'guide.rules', () => openRules(site)),
    list('guide-blocked', 'guide.blocked', async () => (await import('./blocked-list.js')).openBlockedList()),
    hasReports && list('guide-reports', 'guide.reports', async () => (await import('./report-list.js')).openReports()),
    local.get('told') && list('guide-notices', 'guide.notices', async () => (await import('../pages/notice-list.js')).openNotices()),
  ];
  return openSheet({ title: t('guide.title'), body, foot, test: 'guide-sheet', className: 'sheet-guide' }).closed;
}
