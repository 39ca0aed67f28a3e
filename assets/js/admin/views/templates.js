// The templates of decisions: what each does is fixed in the form of a decision, the
// words to people are the site's own, in each language. Administrators change them.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { toast } from '../../ui/toast.js';
import { draftOf, keepDraft } from '../drafts.js';
import { change, emptyForm, findings, kindsFor, lengths, rules } from '../model/decision.js';
import { mergeTemplates } from '../model/merge.js';
import { get, isAdministrator, put } from '../session.js';
import { attempt } from '../ui/alert.js';
import { outcomeWords } from '../ui/decision.js';
import { area, field, form, select } from '../ui/fields.js';
import { kindName, length, reasonName, textLanguages } from '../ui/format.js';

const draftName = 'templates';
const languages = Object.keys(textLanguages);

/** What a template does, as fields. @param {any} template @param {() => void} onChange */
function effects(template, onChange) {
  const holder = el('div', { class: 'op-form' });
  const asForm = () => ({ ...emptyForm(template.rule, 'en'), finding: template.finding, kind: template.sanction?.kind ?? 'none', length_ms: template.sanction?.length_ms ?? null });
  const set = (name, value) => {
    const { finding, rule, kind, length_ms: span } = change(asForm(), name, value, []);
    const sanction = kind === 'none' ? undefined : { ...template.sanction, on: 'person', kind, ...(span === null ? {} : { length_ms: span }) };
    if (sanction && span === null) delete sanction.length_ms;
    Object.assign(template, { finding, rule, sanction });
    onChange();
    paint();
  };
  function paint() {
    const now = asForm();
    const on = (name, options, value) => select(options, value, { onchange: (event) => set(name, name === 'length_ms' ? (event.target.value === '' ? null : Number(event.target.value)) : event.target.value) });
    const spans = lengths[now.kind] && [...new Set([...lengths[now.kind], now.length_ms])];
    holder.replaceChildren(
      el('div', { class: 'op-pair' }, field('op.finding', on('finding', findings.map((it) => [it, t(`op.finding.${it}`)]), now.finding)), field('op.rule', on('rule', rules.map((it) => [it, reasonName(it)]), now.rule))),
      el('div', { class: 'op-pair' }, field('op.sanction', on('kind', kindsFor(now).map((it) => [it, kindName(it)]), now.kind)), spans ? field('op.length', on('length_ms', spans.map((it) => [String(it ?? ''), length(it)]), String(now.length_ms ?? ''))) : el('span')));
  }
  paint();
  return holder;
}

export async function mountTemplates(place) {
  const draft = draftOf(draftName);
  /** What stands, as far as this page has seen it. */
  let seen = await get('templates/');
  let templates = draft ? mergeTemplates(draft.kept, seen.templates, draft.templates) : structuredClone(seen.templates);
  const can = isAdministrator();
  const list = el('div', { class: 'op-cards' });
  const save = el('button', { type: 'submit', class: 'button-primary', test: 'templates-save', disabled: !draft }, t('op.save'));
  const touched = () => {
    keepDraft(draftName, { kept: seen.templates, templates });
    save.disabled = false;
  };

  function words(template, name, key, language) {
    const text = area(template[name]?.[language] ?? '', { lang: language, rows: 3, readonly: !can, test: `${name}-${language}`, oninput: () => {
      template[name] = { ...template[name], [language]: text.value };
      touched();
    } });
    return field(key, text);
  }

  function card(template, at) {
    const title = el('summary', { class: 'op-template-title' }, el('kbd', { class: 'op-kbd' }, String(at + 1)), el('span', {}, outcomeWords(template)), el('span', { class: 'op-meta' }, template.finding === 'violation' ? reasonName(template.rule) : ''));
    const texts = languages.flatMap((language) => [words(template, 'texts', `op.template.text.${language}`, language), words(template, 'reporter_texts', `op.template.reporter.${language}`, language)]);
    return el('details', { class: 'op-card', test: 'template', open: at === 0 }, title, can && effects(template, touched), el('div', { class: 'op-form' }, ...texts));
  }

  /** What another has changed meanwhile comes beside what was typed here, and is seen before it is saved. */
  async function takeIn(error) {
    if (error.code === 'changed') {
      const theirs = await get('templates/');
      templates = mergeTemplates(seen.templates, theirs.templates, templates);
      seen = theirs;
      touched();
      list.replaceChildren(...templates.map(card));
    }
    throw error;
  }

  const submit = oneAtATime(() => attempt(async () => {
    await put('templates/', { version: seen.version, templates }).catch(takeIn);
    keepDraft(draftName, null);
    save.disabled = true;
    toast(t('op.saved'));
    seen = await get('templates/');
  }));
  list.append(...templates.map(card));
  place.append(el('header', { class: 'op-head' }, el('h1', { class: 'op-title' }, t('op.nav.templates'))), el('p', { class: 'op-lead' }, t(can ? 'op.templates.lead' : 'op.templates.readOnly')), form({}, submit, list, can && el('div', { class: 'op-foot' }, save)));
  return {};
}
