// The form of a decision about reports: a template, what it says changed by hand, and one
// key that sends it.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { bodyOf, change, emptyForm, findings, isTouched, kindsFor, lengths, missing, rules, told, useTemplate } from '../model/decision.js';
import { isAdministrator } from '../session.js';
import { area, field, select } from './fields.js';
import { findingName, kindName, length, reasonName, textLanguages } from './format.js';
import { choiceRow, judging, mountPanel, offer, sanctionFields, write } from './panel.js';

/** What a template does, in a few words. */
export function outcomeWords({ finding, rule, sanction }) {
  if (finding === 'no_violation') return t('op.finding.no_violation');
  if (!sanction) return t('op.finding.violation');
  const lasting = sanction.kind in lengths ? ` · ${length(sanction.length_ms)}` : '';
  return `${kindName(sanction.kind, rule)}${lasting}`;
}

function templateRow(template, number, onPick) {
  const about = template.finding === 'no_violation' ? '' : reasonName(template.rule);
  return choiceRow({ name: 'template', value: template.id, number, test: `template-${number}` }, onPick, el('span', { class: 'op-template-words' }, el('span', {}, outcomeWords(template)), about && el('span', { class: 'op-meta' }, about)));
}

/** The fields, and how they come to show a form. */
function formFields(set, canWatch) {
  const chosen = (name, options, value, test = name) => {
    const node = select(options, value, { test, onchange: () => set(name, node.value) });
    return node;
  };
  const written = (name, test, rows) => {
    const node = area('', { test, rows, oninput: () => set(name, node.value) });
    return node;
  };
  const finding = el('select', { test: 'finding', onchange: () => set('finding', finding.value) });
  const rule = chosen('rule', rules.map((it) => [it, reasonName(it)]), rules[0]);
  const language = chosen('language', Object.entries(textLanguages), 'en', 'text-language');
  const sanction = sanctionFields('op.sanction', set);
  const text = written('text', 'text', 4);
  const reporterText = written('reporter_text', 'reporter-text', 2);
  const note = written('note', 'note', 2);
  const watch = el('input', { type: 'checkbox', test: 'watch', onchange: () => set('watch', watch.checked) });
  const watchRow = el('label', { class: 'op-choice' }, watch, el('span', {}, t('op.decide.watch')));
  return {
    text,
    // The words to the person come first: they are seen before one key sends them.
    nodes: [
      field('op.decide.text', text),
      el('div', { class: 'op-pair' }, field('op.finding', finding), field('op.rule', rule)),
      el('div', { class: 'op-pair' }, ...sanction.nodes, field('op.decide.language', language)),
      watchRow,
      field('op.decide.reporterText', reporterText), field('op.note', note, { hint: t('op.noteHint') }),
    ],
    show(form) {
      offer(finding, [['', t('op.choose')], ...findings.map((it) => [it, findingName(it, form.rule)])], form.finding);
      rule.value = form.rule;
      language.value = form.language;
      watch.checked = form.watch ?? false;
      watchRow.hidden = !canWatch || form.finding !== 'violation';
      sanction.show(form, kindsFor(form));
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
  let form = draft ?? emptyForm(file.case.reason, language);
  const fields = formFields(set, isAdministrator() && Boolean(file.targets?.includes('address')));
  const panel = mountPanel({
    title: t('op.decide.title'),
    file,
    can: file.may.includes('decide'),
    legend: t('op.nav.templates'),
    rows: templates.map((template, at) => templateRow(template, at + 1, () => panel.pick(at))),
    fields: fields.nodes,
    text: fields.text,
    onPick: (at) => take(useTemplate(form, templates[at])),
    lacks: () => missing(form),
    ready: () => (told.has(form.kind) ? 'op.decide.ready' : 'op.decide.readyUntold'),
    onSend: () => send('decide', bodyOf(form), form),
  });
  paint();

  function paint() {
    fields.show(form);
    panel.show(form.template);
  }

  function take(next) {
    form = next;
    keep(isTouched(form) ? form : null);
    paint();
  }

  function set(name, value) {
    take(change(form, name, value, templates));
  }

  return judging(panel, () => form, set);
}
