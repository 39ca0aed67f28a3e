// The head of a case: its number and reason, what is known at a glance, whose it is and
// for how long.

import { el, icon, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { now } from '../../lib/time.js';
import { factsOf, reasonChip } from '../views/queue.js';
import { left } from './format.js';

const rhythm = 20_000;

export function mountCaseHead({ case: row, subject }, { app }) {
  const claim = el('p', { class: 'op-claim', test: 'claim' });
  const heading = el('h1', { class: 'op-case-title', tabindex: '-1', test: 'case-title' }, t('op.case.no', { n: row.id }), ' ', reasonChip(row.reason));
  const back = el('button', { type: 'button', class: 'button-icon', 'aria-label': t('op.case.back'), onclick: () => app.go({ view: 'queue' }) }, icon('back'));
  const person = t('op.case.person', { id: subject.id });
  const facts = el('p', { class: 'op-meta', test: 'case-facts' }, [...factsOf(row), person].join(' · '));
  const node = el('header', { class: 'op-case-head' }, back, el('div', { class: 'op-case-names' }, heading, facts), claim);
  function paint() {
    const { claim: held } = row;
    const holds = held && held.until_ms > now();
    const words = !holds ? (row.closed_at_ms ? t(`op.state.${row.state}`) : t('op.claim.none')) : held.mine ? t('op.claim.until', { t: left(held.until_ms) }) : t('op.claim.theirs', { name: held.name });
    setText(claim, words);
    claim.classList.toggle('is-mine', Boolean(holds && held.mine));
  }
  const timer = setInterval(paint, rhythm);
  paint();
  return { node, leave: () => clearInterval(timer), focus: () => heading.focus({ preventScroll: true }) };
}
