// The form of a decision: a template, what it says changed by hand, and one key that
// sends it. On a phone it is a sheet from below.

import { el, icon, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { appeared } from '../../lib/press.js';
import { bodyOf, change, emptyForm, findings, isTouched, kindsFor, lengths, missing, rules, told, useTemplate } from '../model/decision.js';
import { isAdministrator } from '../session.js';
import { area, button, field, select } from './fields.js';
import { findingName, kindName, length, reasonName } from './format.js';

const languages = [['zh-TW', '中文'], ['en', 'English']];

/** What a template does, in a few words. */
export function outcomeWords({ finding, rule, sanction }) {
  if (finding === 'no_violation') return t('op.finding.no_violation');
  if (!sanction) return t('op.finding.violation');
  const lasting = sanction.kind in lengths ? ` · ${length(sanction.length_ms)}` : '';
  return `${kindName(sanction.kind, rule)}${lasting}`;
}

function templateRow(template, number, onPick) {
  const radio = el('input', { type: 'radio', name: 'template', value: template.id, class: 'sr', onchange: onPick });
  const about = template.finding === 'no_violation' ? '' : reasonName(template.rule);
  return el('label', { class: 'op-template', test: `template-${number}` }, radio, el('kbd', { class: 'op-kbd' }, String(number)), el('span', { class: 'op-template-words' }, el('span', {}, outcomeWords(template)), about && el('span', { class: 'op-meta' }, about)));
}

/** The fields, and how they come to show a form. */
function formFields(set, canWatch) {
  const onInput = (name) => (event) => set(name, event.target.value);
  const on = (node, name) => {
    node.addEventListener(node.tagName === 'TEXTAREA' ? 'input' : 'change', onInput(name));
    return node;
  };
  const finding = on(el('select', { test: 'finding' }), 'finding');
  const rule = on(select(rules.map((it) => [it, reasonName(it)]), rules[0], { test: 'rule' }), 'rule');
  const kind = on(el('select', { test: 'kind' }), 'kind');
  const span = el('select', { test: 'length' });
  span.addEventListener('change', () => set('length_ms', span.value === '' ? null : Number(span.value)));
  const language = on(select(languages, 'en', { test: 'text-language' }), 'language');
  const text = on(area('', { test: 'text', rows: 4 }), 'text');
  const reporterText = on(area('', { test: 'reporter-text', rows: 2 }), 'reporter_text');
  const note = on(area('', { test: 'note', rows: 2 }), 'note');
  const spanField = field('op.length', span);
  const watch = el('input', { type: 'checkbox', test: 'watch', onchange: () => set('watch', watch.checked) });
  const watchRow = el('label', { class: 'op-choice' }, watch, el('span', {}, t('op.decide.watch')));
  const options = (node, all, value) => {
    node.replaceChildren(...all.map(([of, words]) => el('option', { value: of }, words)));
    node.value = value;
  };
  const write = (node, value) => {
    if (node.value !== value) node.value = value;
  };
  return {
    text,
    nodes: [
      el('div', { class: 'op-pair' }, field('op.finding', finding), field('op.rule', rule)),
      el('div', { class: 'op-pair' }, field('op.sanction', kind), spanField, field('op.decide.language', language)),
      watchRow,
      field('op.decide.text', text), field('op.decide.reporterText', reporterText), field('op.note', note, { hint: t('op.noteHint') }),
    ],
    show(form) {
      options(finding, [['', t('op.choose')], ...findings.map((it) => [it, findingName(it, form.rule)])], form.finding);
      rule.value = form.rule;
      language.value = form.language;
      watch.checked = form.watch ?? false;
      watchRow.hidden = !canWatch || form.finding !== 'violation';
      options(kind, kindsFor(form).map((it) => [it, kindName(it, form.rule)]), form.kind);
      const offered = lengths[form.kind];
      spanField.hidden = !offered;
      // A template's own length is offered, whatever it is.
      if (offered) options(span, [...new Set([...offered, form.length_ms])].map((it) => [String(it ?? ''), length(it)]), String(form.length_ms ?? ''));
      write(text, form.text);
      write(reporterText, form.reporter_text);
      write(note, form.note);
      text.lang = form.language;
      reporterText.lang = form.language;
    },
  };
}

/** @param {any} file @param {any} context */
export function mountDecision(file, { templates, draft, keep, language, send }) {
  const can = file.may.includes('decide');
  let form = draft ?? emptyForm(file.case.reason, language);
  const fields = formFields(set, isAdministrator() && Boolean(file.targets?.includes('address')));
  const rows = templates.map((template, at) => templateRow(template, at + 1, () => pick(at)));
  const go = button('op.decide.go', () => submit(), { kind: 'primary', test: 'decide' });
  const hint = el('p', { class: 'op-meta', role: 'status', test: 'decide-hint' });
  const close = el('button', { type: 'button', class: 'button-icon op-decide-close', 'aria-label': t('app.close'), test: 'decide-close', onclick: () => open(false) }, icon('close'));
  const node = el('section', { class: 'op-decide', test: 'decision', 'aria-label': t('op.decide.title') });
  const head = el('header', { class: 'op-decide-head' }, el('h2', { class: 'op-subtitle' }, t('op.decide.title')), close);
  if (can) {
    node.append(head, el('fieldset', { class: 'op-templates' }, el('legend', { class: 'sr' }, t('op.nav.templates')), ...rows),
      el('div', { class: 'op-decide-fields' }, ...fields.nodes), el('div', { class: 'op-decide-foot' }, hint, go));
  } else node.append(head, el('p', { class: 'op-empty-small' }, t(file.case.closed_at_ms ? 'op.decide.closed' : 'op.decide.notYours')));
  if (can) paint();

  function paint() {
    fields.show(form);
    rows.forEach((row, at) => {
      row.firstChild.checked = templates[at].id === form.template;
    });
    const lacks = missing(form);
    go.disabled = lacks !== null;
    setText(hint, t(lacks ?? (told.has(form.kind) ? 'op.decide.ready' : 'op.decide.readyUntold')));
  }

  function set(name, value) {
    form = change(form, name, value, templates);
    keep(isTouched(form) ? form : null);
    paint();
  }

  function pick(at) {
    if (!can || !templates[at]) return;
    form = useTemplate(form, templates[at]);
    if (isTouched(form)) keep(form);
    paint();
    open(true);
    rows[at].scrollIntoView({ block: 'nearest' });
  }

  function open(opens = true) {
    if (opens && !node.classList.contains('is-open')) appeared(node);
    node.classList.toggle('is-open', opens);
  }

  /** Whether it is on its way. */
  function submit() {
    if (!can) return false;
    const lacks = missing(form);
    if (lacks) {
      setText(hint, t(lacks));
      // Where words are all that is missing, that is where one is.
      if (lacks === 'op.decide.needsText') fields.text.focus();
      return false;
    }
    send('decide', bodyOf(form));
    return true;
  }

  return {
    node,
    note: () => form.note.trim(),
    /** It is written down with another act. */
    noteSent: () => form.note !== '' && set('note', ''),
    open,
    pick,
    submit,
    write() {
      open(true);
      if (can) fields.text.focus();
    },
  };
}
