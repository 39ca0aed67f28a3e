// The form of an appeal: the sanction that it is about, and whether it stays.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { appealBody, appealMissing, changeAppeal, emptyAppeal, kindsFor, outcomes } from '../model/decision.js';
import { area, field } from './fields.js';
import { choiceRow, judging, mountPanel, sanctionFields, write } from './panel.js';
import { sanctionList } from './sanction-list.js';

const kinds = kindsFor({ finding: 'violation', rule: '' }).filter((it) => it !== 'none');

/** What was said is in the case that it was imposed in. */
const caseOf = ({ case: id }) => id && el('p', { class: 'op-links' }, el('a', { class: 'op-link', href: `#/case/${id}` }, t('op.case.no', { n: id })));

/** @param {any} file @param {any} context */
export function mountAppeal(file, { draft, keep, send }) {
  const about = file.sanctions.find(({ id }) => id === file.case.sanction?.id) ?? file.case.sanction;
  let form = draft ?? emptyAppeal;
  const sanction = sanctionFields('op.appeal.instead', set);
  const instead = el('div', { class: 'op-pair' }, ...sanction.nodes);
  const text = area(form.text, { test: 'text', rows: 4, oninput: () => set('text', text.value) });
  const note = area(form.note, { test: 'note', rows: 2, oninput: () => set('note', note.value) });
  const row = (outcome, at) => choiceRow({ name: 'outcome', value: outcome, number: at + 1, test: `outcome-${outcome}` }, () => panel.pick(at), el('span', {}, t(`op.appeal.${outcome}`)));
  const panel = mountPanel({
    title: t('op.appeal.title'),
    file,
    can: file.may.includes('appeal'),
    about: about?.at_ms ? [sanctionList([about], caseOf)] : [],
    legend: t('op.appeal.title'),
    rows: outcomes.map(row),
    fields: [instead, field('op.decide.text', text), field('op.note', note, { hint: t('op.noteHint') })],
    text,
    onPick: (at) => set('outcome', outcomes[at]),
    lacks: () => appealMissing(form),
    onSend: () => send('appeal', appealBody(form), form),
  });
  paint();

  function paint() {
    instead.hidden = form.outcome !== 'change';
    sanction.show(form, kinds);
    write(note, form.note);
    panel.show(form.outcome);
  }

  function set(name, value) {
    form = changeAppeal(form, name, value);
    keep(form.text || form.note ? form : null);
    paint();
  }

  return judging(panel, () => form, set);
}
