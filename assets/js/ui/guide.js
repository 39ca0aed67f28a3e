// The guide sheet: how meeting, talking and leaving work.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { openBlockedList } from './blocked-list.js';
import { keptFor, privacyLink } from './privacy.js';
import { reportedNames } from './report-names.js';
import { openRules } from './rules.js';
import { openSheet } from './sheet.js';

export function openGuide(site) {
  const parts = [
    ['guide.h1', ['guide.p1']],
    ['guide.h2', ['guide.p2', 'guide.p3']],
    ['guide.h3', ['guide.p4', 'guide.p5']],
  ];
  const body = parts.flatMap(([heading, texts]) => [
    el('h3', { class: 'sheet-heading' }, t(heading)),
    ...texts.map((key) => el('p', {}, t(key, { t: keptFor(site) }))),
  ]);
  body.push(el('p', {}, privacyLink(t('guide.privacy'))));
  const rules = el('button', { type: 'button', class: 'button-ghost', test: 'guide-rules', onclick: () => openRules(site) }, t('guide.rules'));
  const blocked = el('button', { type: 'button', class: 'button-ghost', test: 'guide-blocked', onclick: () => openBlockedList() }, t('guide.blocked'));
  const hasReports = site.options.reports || reportedNames().length > 0;
  const reports = hasReports && el('button', { type: 'button', class: 'button-ghost', test: 'guide-reports', onclick: () => import('./report-list.js').then(({ openReports }) => openReports()) }, t('reports.title'));
  return openSheet({ title: t('guide.title'), body, foot: [rules, blocked, reports], test: 'guide-sheet', className: 'sheet-guide' }).closed;
}
