// What is being decided, as the form holds it: from a template, changed by hand, kept as a
// draft, sent. Pure. The server decides what is allowed; what it would refuse anyway is not offered.

const hour = 3_600_000;
const day = 24 * hour;

export const rules = ['harassment', 'sexual', 'minor', 'self_harm', 'spam', 'other'];
export const findings = ['violation', 'no_violation'];

/** How long each kind may be; null: without an end. A kind that is not here has no length. */
/** @type {Record<string, (number | null)[]>} */
export const lengths = {
  mute: [hour, day, 7 * day, 30 * day, null],
  ban: [day, 7 * day, 30 * day, 365 * day, null],
  shadow_mute: [hour, 6 * hour, day],
};

/** The person is told of these. */
export const told = new Set(['warning', 'mute', 'ban']);

/**
 * @typedef {{ kind: string, on?: string, length_ms?: number | null }} Sanction
 * @typedef {Record<string, string>} Texts by language
 * @typedef {{ id: string, rule: string, finding: string, sanction?: Sanction | null, texts: Texts, reporter_texts: Texts }} Template
 *
 * @typedef {object} Form
 * @property {string | null} template
 * @property {string} finding
 * @property {string} rule
 * @property {string} kind of the sanction; `none`
 * @property {number | null} length_ms
 * @property {boolean} [watch] newcomers from their address are slowed down as well
 * @property {string} language of the texts
 * @property {string} text to the person
 * @property {string} reporter_text
 * @property {string} note
 * @property {readonly string[]} edited the texts that are the operator's own words
 */

/**
 * @param {string} rule @param {string} language @returns {Form}
 */
export const emptyForm = (rule, language) => ({ template: null, finding: '', rule, kind: 'none', length_ms: null, language, text: '', reporter_text: '', note: '', edited: [] });

/** @param {Texts | undefined} texts @param {string} language */
const inLanguage = (texts, language) => texts?.[language] ?? texts?.en ?? Object.values(texts ?? {})[0] ?? '';

/**
 * The form as a template says it. What was written by hand stays: only its own words are exchanged.
 * @param {Form} form @param {Template} template @returns {Form}
 */
export function useTemplate(form, template) {
  const { kind = 'none', length_ms: length = null } = template.sanction ?? {};
  // A template for any rule keeps the rule that the reports name.
  const rule = template.finding === 'no_violation' ? form.rule : template.rule;
  return fill({ ...form, template: template.id, finding: template.finding, rule, kind, length_ms: length }, template);
}

/**
 * The template's texts in the form's language, where there are no others.
 * @param {Form} form @param {Template} template @returns {Form}
 */
function fill(form, template) {
  const own = (/** @type {string} */ name) => form.edited.includes(name);
  return {
    ...form,
    text: own('text') ? form.text : inLanguage(template.texts, form.language),
    reporter_text: own('reporter_text') ? form.reporter_text : inLanguage(template.reporter_texts, form.language),
  };
}

/**
 * A change by hand of one field. `templates` for what follows from another language.
 * @param {Form} form @param {keyof Form} name @param {any} value @param {Template[]} templates @returns {Form}
 */
export function change(form, name, value, templates) {
  const next = { ...form, [name]: value };
  if (name === 'text' || name === 'reporter_text') {
    // An emptied text is none: a template may fill it again.
    const others = form.edited.filter((it) => it !== name);
    return { ...next, edited: value === '' ? others : [...others, name] };
  }
  if (name === 'finding' && value === 'no_violation') return { ...next, kind: 'none', length_ms: null };
  if (name === 'kind') return { ...next, length_ms: defaultLength(value, form.length_ms) };
  if (name === 'rule' && value !== 'spam' && form.kind === 'shadow_mute') return { ...next, kind: 'none', length_ms: null };
  const template = name === 'language' && templates.find(({ id }) => id === form.template);
  return template ? fill(next, template) : next;
}

/** @param {string} kind @param {number | null} before */
function defaultLength(kind, before) {
  const offered = lengths[kind];
  if (!offered) return null;
  return offered.includes(before) && before !== null ? before : offered[1];
}

/**
 * The kinds that can be imposed. What the person is not told of is for spam alone.
 * @param {Form} form
 */
export function kindsFor({ finding, rule }) {
  if (finding !== 'violation') return ['none', 'note'];
  return ['none', 'note', 'warning', 'mute', 'ban', ...(rule === 'spam' ? ['shadow_mute'] : [])];
}

/**
 * What is missing before it can be sent, as the name of a text; null: nothing.
 * @param {Form} form
 */
export function missing(form) {
  if (!findings.includes(form.finding)) return 'op.decide.choose';
  if (told.has(form.kind) && form.text.trim() === '') return 'op.decide.needsText';
  return null;
}

/** @param {Form} form @returns {Sanction[]} */
function sanctionsOf({ finding, kind, length_ms: length, watch }) {
  const person = kind === 'none' ? [] : [{ on: 'person', kind, ...(length === null ? {} : { length_ms: length }) }];
  return [...person, ...(watch && finding === 'violation' ? [{ on: 'address', kind: 'watch', length_ms: day }] : [])];
}

/**
 * As the server takes it.
 * @param {Form} form
 */
export const bodyOf = (form) => ({ finding: form.finding, rule: form.rule, note: form.note.trim(), text: form.text.trim(), reporter_text: form.reporter_text.trim(), sanctions: sanctionsOf(form) });

/**
 * Whether a draft of it is worth keeping.
 * @param {Form} form
 */
export const isTouched = (form) => form.edited.length > 0 || form.note !== '';

/** What becomes of a sanction that is appealed. */
export const outcomes = ['uphold', 'change', 'overturn'];

/** @typedef {{ outcome: string, kind: string, length_ms: number | null, note: string, text: string }} Appeal as the form of an appeal holds it */

/** @type {Appeal} */
export const emptyAppeal = { outcome: '', kind: 'warning', length_ms: null, note: '', text: '' };

/**
 * @param {Appeal} form @param {keyof Appeal} name @param {any} value @returns {Appeal}
 */
export const changeAppeal = (form, name, value) => ({ ...form, [name]: value, ...(name === 'kind' ? { length_ms: defaultLength(value, form.length_ms) } : {}) });

/**
 * What is missing before it can be sent, as the name of a text; null: nothing.
 * @param {Appeal} form
 */
export function appealMissing({ outcome, text }) {
  if (!outcomes.includes(outcome)) return 'op.appeal.choose';
  return text.trim() === '' ? 'op.appeal.needsText' : null;
}

/**
 * An appeal's decision as the server takes it.
 * @param {Appeal} form
 */
export function appealBody({ outcome, kind, length_ms: length, note, text }) {
  const sanction = outcome === 'change' ? { sanction: sanctionsOf(/** @type {Form} */ ({ kind, length_ms: length }))[0] } : {};
  return { outcome, ...sanction, note: note.trim(), text: text.trim() };
}

/**
 * The language that the person will read: that of their own words, else the operator's.
 * @param {{ side: string, kind: string, content?: string | null }[]} entries @param {string} subject their side @param {string} otherwise
 */
export function languageOf(entries, subject, otherwise) {
  const words = entries.filter((it) => it.side === subject && it.kind === 'message').map((it) => it.content ?? '').join('');
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(words)) return 'ja';
  if (/\p{Script=Han}/u.test(words)) return 'zh-TW';
  return /\p{Script=Latin}{2}/u.test(words) ? 'en' : otherwise;
}
