// A notice to everyone who is there, and maintenance: searches pause, conversations go on.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { toast } from '../../ui/toast.js';
import { draftOf, keepDraft } from '../drafts.js';
import { get, isAdministrator, put, remove } from '../session.js';
import { attempt } from '../ui/alert.js';
import { area, button, field, form, select, wrongLine } from '../ui/fields.js';
import { left, length, textLanguages } from '../ui/format.js';

const minute = 60_000;
const lengths = { broadcast: [60, 360, 1440, 4320, 10080].map((it) => it * minute), maintenance: [15, 30, 60, 120, 360].map((it) => it * minute) };
/** What was chosen last stays chosen when the page is made again. */
const chosen = { broadcast: lengths.broadcast[1], maintenance: lengths.maintenance[1] };
const languages = Object.keys(textLanguages);

/** One of the two: what stands now, and how to put or to take it away. @param {'broadcast' | 'maintenance'} kind */
function card(kind, standing, version, onChange) {
  const draft = draftOf(kind) ?? {};
  const can = isAdministrator();
  const texts = languages.map((language) => area(draft[language] ?? standing?.texts?.[language] ?? '', { lang: language, rows: 2, maxlength: 500, test: `${kind}-${language}`, oninput: () => keepDraft(kind, values()) }));
  const values = () => Object.fromEntries(languages.map((language, at) => [language, texts[at].value.trim()]).filter(([, text]) => text !== ''));
  const span = select(lengths[kind].map((it) => [String(it), length(it)]), String(chosen[kind]), { test: `${kind}-length`, onchange: () => {
    chosen[kind] = Number(span.value);
  } });
  const wrong = wrongLine(`${kind}-wrong`);
  /** What another has set meanwhile is seen first; what is typed stays. */
  async function showNow(error) {
    if (error.code === 'changed') await onChange();
    throw error;
  }
  const send = oneAtATime(() => attempt(async () => {
    await put(`${kind}/`, { version, texts: values(), length_ms: Number(span.value) }).catch(showNow);
    keepDraft(kind, null);
    toast(t(`op.${kind}.done`));
    await onChange();
  }));
  function submit() {
    wrong.quiet();
    // Maintenance explains itself; a notice without words is none.
    if (kind === 'maintenance' || Object.keys(values()).length > 0) return send();
    wrong.say(t('op.broadcast.needsText'));
    return texts[0].focus();
  }
  const end = () => attempt(async () => {
    await remove(`${kind}/?version=${version}`).catch(showNow);
    toast(t(`op.${kind}.ended`));
    await onChange();
  });
  const state = standing ? t(`op.${kind}.stands`, { t: left(standing.until_ms) }) : t(`op.${kind}.none`);
  return el('section', { class: 'op-card', test: kind }, el('h2', { class: 'op-subtitle' }, t(`op.${kind}.title`)), el('p', { class: 'op-hint' }, t(`op.${kind}.text`)), el('p', { class: standing ? 'op-warning' : 'op-meta', test: `${kind}-state` }, state),
    !can && standing && el('div', {}, ...languages.filter((it) => standing.texts?.[it]).map((it) => el('p', { class: 'op-text', lang: it, test: `${kind}-said` }, el('bdi', {}, standing.texts[it])))),
    can && form({ class: 'op-form' }, submit, ...languages.map((language, at) => field(`op.words.${language}`, texts[at])), field('op.length', span), wrong.node, el('div', { class: 'op-buttons' }, el('button', { type: 'submit', class: 'button-primary', test: `${kind}-go` }, t(standing ? 'op.replace' : `op.${kind}.go`)), standing && button(`op.${kind}.end`, end, { test: `${kind}-end` }))));
}

export async function mountSite(place) {
  const cards = el('div', { class: 'op-cards op-cards-two' });
  place.append(el('header', { class: 'op-head' }, el('h1', { class: 'op-title' }, t('op.nav.site'))), !isAdministrator() ? el('p', { class: 'op-lead' }, t('op.site.readOnly')) : '', cards);
  async function refresh() {
    const { broadcast, maintenance, versions } = await get('broadcast/');
    cards.replaceChildren(card('broadcast', broadcast, versions.broadcast, refresh), card('maintenance', maintenance, versions.maintenance, refresh));
  }
  await refresh();
  return {};
}
