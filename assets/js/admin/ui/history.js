// What is known of the person: strikes and other sanctions, and what was decided in this
// case before.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { findingName, moment, reasonName } from './format.js';
import { sanctionList } from './sanction-list.js';

function decisionNode(decision) {
  return el('li', { class: 'op-row' },
    el('p', { class: 'op-row-main' }, el('strong', {}, findingName(decision.finding, decision.rule)), ` · ${reasonName(decision.rule)}`),
    el('p', { class: 'op-meta' }, `${moment(decision.at_ms)} · ${t('op.by', { name: decision.by ?? t('op.machine') })}`),
    decision.text && el('p', { class: 'op-text' }, el('bdi', {}, decision.text)),
    decision.note && el('p', { class: 'op-text op-private' }, el('bdi', {}, t('op.history.note', { note: decision.note }))));
}

/** What was done besides deciding, and the words that went with it. */
function stepNode(step) {
  return el('li', { class: 'op-row', test: 'step' },
    el('p', { class: 'op-row-main' }, el('strong', {}, t(`op.step.${step.kind}`))),
    el('p', { class: 'op-meta' }, `${moment(step.at_ms)} · ${t('op.by', { name: step.by ?? t('op.machine') })}`),
    step.text && el('p', { class: 'op-text' }, el('bdi', {}, step.text)),
    step.note && el('p', { class: 'op-text op-private' }, el('bdi', {}, t('op.history.note', { note: step.note }))));
}

const earlierNode = (it) => el('li', { class: 'op-row' }, el('p', { class: 'op-row-main' }, el('a', { class: 'op-link', href: `#/case/${it.id}` }, t('op.case.no', { n: it.id })), ` · ${reasonName(it.reason)} · ${t(`op.state.${it.state}`)} · ${moment(it.closed_at_ms ?? it.opened_at_ms)}`));

/** @param {any} file */
export function mountHistory({ case: row, subject, sanctions, decisions, steps = [], earlier = [] }) {
  const since = subject.since ? t('op.history.since', { t: moment(subject.since) }) : null;
  return el('section', { class: 'op-history', test: 'history' },
    el('h2', { class: 'op-subtitle' }, t('op.history')),
    el('p', { class: 'op-meta' }, [t('op.case.strikes', { n: row.strikes }), since].filter(Boolean).join(' · ')),
    sanctions.length > 0 ? sanctionList(sanctions) : el('p', { class: 'op-empty-small' }, t('op.history.none')),
    decisions.length > 0 && el('h3', { class: 'op-subtitle' }, t('op.history.decisions')),
    decisions.length > 0 && el('ul', { class: 'op-rows' }, ...decisions.map(decisionNode)),
    steps.length > 0 && el('h3', { class: 'op-subtitle' }, t('op.history.steps')),
    steps.length > 0 && el('ul', { class: 'op-rows' }, ...steps.map(stepNode)),
    earlier.length > 0 && el('h3', { class: 'op-subtitle' }, t('op.history.earlier')),
    earlier.length > 0 && el('ul', { class: 'op-rows' }, ...earlier.map(earlierNode)));
}
