// The form of an appeal: the sanction that it is about, and whether it stays.

import { el, icon, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { appealBody, kindsFor, lengths } from '../model/decision.js';
import { area, button, field, select } from './fields.js';
import { kindName, length } from './format.js';
import { sanctionList } from './sanction-list.js';

const outcomes = ['uphold', 'change', 'overturn'];

/** @param {any} file @param {any} context */
export function mountAppeal(file, { draft, keep, send }) {
  const can = file.may.includes('appeal');
  const about = file.sanctions.find(({ id }) => id === file.case.sanction?.id) ?? file.case.sanction;
  let form = draft ?? { outcome: '', kind: 'warning', length_ms: null, note: '', text: '' };
  const radios = outcomes.map((outcome, at) => el('label', { class: 'op-template', test: `outcome-${outcome}` }, el('input', { type: 'radio', name: 'outcome', value: outcome, class: 'sr', onchange: () => pick(at) }), el('kbd', { class: 'op-kbd' }, String(at + 1)), el('span', {}, t(`op.appeal.${outcome}`))));
  const kinds = kindsFor({ finding: 'violation', rule: '' }).filter((it) => it !== 'none');
  const kind = select(kinds.map((it) => [it, kindName(it)]), form.kind, { test: 'kind', onchange: () => set({ kind: kind.value, length_ms: lengths[kind.value]?.[1] ?? null }) });
  const span = el('select', { test: 'length', onchange: () => set({ length_ms: span.value === '' ? null : Number(span.value) }) });
  const spanField = field('op.length', span);
  const instead = el('div', { class: 'op-pair' }, field('op.appeal.instead', kind), spanField);
  const text = area(form.text, { test: 'text', rows: 4, oninput: () => set({ text: text.value }) });
  const note = area(form.note, { test: 'note', rows: 2, oninput: () => set({ note: note.value }) });
  const hint = el('p', { class: 'op-meta', role: 'status', test: 'decide-hint' });
  const go = button('op.decide.go', () => submit(), { kind: 'primary', test: 'decide' });
  const close = el('button', { type: 'button', class: 'button-icon op-decide-close', 'aria-label': t('app.close'), onclick: () => open(false) }, icon('close'));
  const node = el('section', { class: 'op-decide', test: 'decision', 'aria-label': t('op.appeal.title') }, el('header', { class: 'op-decide-head' }, el('h2', { class: 'op-subtitle' }, t('op.appeal.title')), close));
  if (about?.at_ms) node.append(sanctionList([about]));
  if (can) node.append(el('fieldset', { class: 'op-templates' }, el('legend', { class: 'sr' }, t('op.appeal.title')), ...radios), el('div', { class: 'op-decide-fields' }, instead, field('op.decide.text', text), field('op.note', note, { hint: t('op.noteHint') })), el('div', { class: 'op-decide-foot' }, hint, go));
  else node.append(el('p', { class: 'op-empty-small' }, t(file.case.closed_at_ms ? 'op.decide.closed' : 'op.decide.notYours')));
  paint();

  function lacks() {
    if (form.outcome === '') return 'op.appeal.choose';
    return form.text.trim() === '' ? 'op.appeal.needsText' : null;
  }

  function paint() {
    radios.forEach((radio, at) => {
      radio.firstChild.checked = outcomes[at] === form.outcome;
    });
    instead.hidden = form.outcome !== 'change';
    const offered = lengths[form.kind];
    spanField.hidden = !offered;
    span.replaceChildren(...(offered ?? []).map((it) => el('option', { value: String(it ?? '') }, length(it))));
    span.value = String(form.length_ms ?? '');
    go.disabled = lacks() !== null;
    setText(hint, t(lacks() ?? 'op.decide.ready'));
  }

  function set(changes) {
    form = { ...form, ...changes };
    keep(form.text || form.note ? form : null);
    paint();
  }

  function pick(at) {
    if (!can || !outcomes[at]) return;
    set({ outcome: outcomes[at] });
    open(true);
  }

  function open(opens = true) {
    node.classList.toggle('is-open', opens);
  }

  function submit() {
    if (!can) return false;
    if (lacks()) {
      // Where words are all that is missing, that is where one is.
      if (form.outcome !== '') text.focus();
      return false;
    }
    send('appeal', appealBody(form));
    return true;
  }

  return {
    node,
    note: () => form.note.trim(),
    /** It is written down with another act. */
    noteSent: () => form.note !== '' && set({ note: '' }),
    open,
    pick,
    submit,
    write() {
      open(true);
      if (can) text.focus();
    },
  };
}
