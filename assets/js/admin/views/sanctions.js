// The sanctions in force, those of a case, how they are lifted; and, for administrators
// in a raid, a network that is kept out or slowed down.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { now } from '../../lib/time.js';
import { toast } from '../../ui/toast.js';
import { rules, told as toldKinds } from '../model/decision.js';
import { get, isAdministrator, post } from '../session.js';
import { attempt } from '../ui/alert.js';
import { askSheet } from '../ui/ask.js';
import { area, button, field, form, input, select, wrongLine } from '../ui/fields.js';
import { kindName, length, reasonName } from '../ui/format.js';
import { sanctionList, sanctionWords } from '../ui/sanction-list.js';

const hour = 3_600_000;
/** For how long each may be; what keeps people out ends within a day. */
const networkLengths = { watch: [hour, 24 * hour, 7 * 24 * hour, 30 * 24 * hour], ban: [hour, 6 * hour, 24 * hour] };

function networkForm(onDone) {
  const address = input({ test: 'network-address', class: 'op-code', placeholder: '203.0.113.7/24' });
  const kind = select(['watch', 'ban'].map((it) => [it, kindName(it)]), 'watch', { test: 'network-kind' });
  const span = el('select', { test: 'network-length' });
  const offer = () => {
    const before = span.value;
    const offered = networkLengths[kind.value].map(String);
    span.replaceChildren(...offered.map((it) => el('option', { value: it }, length(Number(it)))));
    span.value = offered.includes(before) ? before : String(hour);
  };
  kind.addEventListener('change', offer);
  offer();
  const rule = select(rules.map((it) => [it, reasonName(it)]), 'spam', { test: 'network-rule' });
  const text = area('', { test: 'network-text', rows: 2 });
  const wrong = wrongLine('network-wrong');
  const submit = oneAtATime(() => {
    wrong.quiet();
    return attempt(async () => {
      await post('sanctions/', { address: address.value.trim(), kind: kind.value, length_ms: Number(span.value), rule: rule.value, text: text.value.trim() });
      toast(t('op.network.done'));
      await onDone();
    }, wrong.say);
  });
  const inside = form({ class: 'op-form op-form-wide' }, submit, el('p', { class: 'op-hint' }, t('op.network.text')), field('op.network.address', address), el('div', { class: 'op-pair' }, field('op.sanction', kind), field('op.length', span)), field('op.rule', rule), field('op.network.words', text), wrong.node, el('button', { type: 'submit', class: 'button-danger', test: 'network-go' }, t('op.network.go')));
  return el('details', { class: 'op-fold', test: 'network' }, el('summary', {}, t('op.network.title')), inside);
}

export async function mountSanctions(place) {
  const list = el('div', { test: 'sanctions' });
  const number = input({ inputmode: 'numeric', test: 'sanctions-case' });
  const find = form({ class: 'op-search' }, () => attempt(refresh), field('op.sanctions.case', number), el('button', { type: 'submit', class: 'button-ghost', test: 'sanctions-find' }, t('op.find')));
  place.append(el('header', { class: 'op-head' }, el('h1', { class: 'op-title' }, t('op.nav.sanctions'))), find, list);
  if (isAdministrator()) place.append(networkForm(refresh));

  const holds = ({ lifted, until_ms: until }) => !lifted && (typeof until !== 'number' || until > now());

  async function lift(sanction) {
    const control = area('', { test: 'lift-text' });
    const told = sanction.target === 'person' && toldKinds.has(sanction.kind);
    const answer = await askSheet({ title: t('op.lift.title'), text: [sanctionWords(sanction), told && t('op.lift.text')].filter(Boolean).join(' '), go: 'op.lift.go', needed: told, ...(told ? { control, label: 'op.decide.text' } : {}) });
    if (answer === null) return;
    await attempt(async () => {
      await post(`sanctions/${sanction.id}/lift/`, { text: answer.words.trim() });
      toast(t('op.lift.done'));
      await refresh();
    });
  }

  function more(sanction) {
    const of = sanction.case && el('a', { class: 'op-link', href: `#/case/${sanction.case}` }, t('op.case.no', { n: sanction.case }));
    const offer = sanction.may_lift && holds(sanction) && button('op.lift.open', () => lift(sanction), { kind: 'link', test: 'lift' });
    return el('p', { class: 'op-links' }, of, offer);
  }

  let asked = 0; // an answer that was overtaken is none of what is looked for now

  async function refresh() {
    asked += 1;
    const mine = asked;
    const wanted = number.value.trim().replace(/^#/, '');
    const { sanctions } = await get(/^\d+$/.test(wanted) ? `sanctions/?case=${wanted}` : 'sanctions/');
    if (mine !== asked) return;
    const empty = el('p', { class: 'op-empty' }, t(wanted ? 'op.sanctions.noneHere' : 'op.sanctions.none'));
    list.replaceChildren(sanctions.length > 0 ? sanctionList(sanctions, more, 'op-list') : empty);
  }

  await refresh();
  return {};
}
