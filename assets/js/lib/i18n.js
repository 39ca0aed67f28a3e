// The current language and the lookup of a text. Not the texts (words/LANGUAGE.json), and not where they
// come from: the server chooses the language and writes its words into the page (ui/language.js).

import { isolate } from './bidi.js';
import { setText } from './dom.js';
import { durationParts } from './time.js';
import { topicName } from './topics.js';

/** @typedef {Record<string, string>} Words every text of one language, by its key */
/** @typedef {Record<string, unknown>} Values what `{name}` stands for in a text */

let current = '';
/** @type {Map<string, Words>} */
const catalogues = new Map();
/** @type {Set<(language: string) => void>} */
const listeners = new Set();

/**
 * From now on texts can be had in that language: these, and those that were added before.
 * @param {string} tag @param {Words} words
 */
export const addWords = (tag, words) => void catalogues.set(tag, { ...catalogues.get(tag), ...words });

/** @param {string} tag */
export const hasWords = (tag) => catalogues.has(tag);

export function language() {
  return current;
}

/**
 * To one whose words are there; else nothing changes.
 * @param {string} next
 */
export function setLanguage(next) {
  if (!hasWords(next)) return;
  current = next;
  for (const listener of listeners) listener(current);
}

/**
 * Calls `listener` on every later change of language.
 * @param {(language: string) => void} listener
 */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The text of `key`, with `{name}` and `{n|one|many}` filled from `values`. Sentences with a name or a
 * text of a person are made here and nowhere else: it keeps their order whatever its direction is.
 * @param {string} key @param {Values} values
 */
export function t(key, values = {}, lang = current) {
  const text = catalogues.get(lang)?.[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name, one, many) => {
    if (!(name in values)) return whole;
    if (one === undefined) return isolate(String(values[name]));
    return Number(values[name]) === 1 ? one : many;
  });
}

/**
 * The text of `key` before and after `{name}`: for a part that has an element of its own.
 * @param {string} key @param {string} name @param {Values} values
 */
export function around(key, name, values = {}) {
  const gap = { toString: () => '\u0000', valueOf: () => values[name] };
  const [before, after = ''] = t(key, { ...values, [name]: gap }).split('\u0000');
  return [before, after];
}

/**
 * Each of them in its place, as in a sentence.
 * @param {string[]} items
 */
export function list(items) {
  return items.map(isolate).join(t('list.separator'));
}

/**
 * How long something takes, in words: `24 hours`, `1 hour 20 minutes`. Without a number, `a while`.
 * @param {number | null} ms
 */
export function duration(ms, lang = current) {
  if (typeof ms !== 'number' || Number.isNaN(ms)) return t('time.while', {}, lang);
  return durationParts(ms).map(([n, unit]) => t(`time.${unit}`, { n }, lang)).join(' ');
}

/**
 * A tag as people read it: our own are translated, the operator's where they say so, others are theirs.
 * @param {string} tag
 */
export function tagLabel(tag) {
  return catalogues.get(current)?.[`tag.${tag}`] ?? topicName(tag, current) ?? tag;
}

/** @param {string[]} tags */
export function tagList(tags) {
  return list(tags.map(tagLabel));
}

/**
 * Fills every element that names its text: data-i18n, data-i18n-label, … What the operator wrote instead
 * (data-own) stays, in any language.
 * @param {ParentNode} root @param {Values} values
 */
export function translate(root, values = {}) {
  const all = (/** @type {string} */ selector) => /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(selector));
  for (const node of all('[data-i18n]')) setText(node, node.dataset.own || t(node.dataset.i18n ?? '', values));
  for (const node of all('[data-i18n-label]')) node.setAttribute('aria-label', t(node.dataset.i18nLabel ?? '', values));
  for (const node of all('[data-i18n-placeholder]')) node.setAttribute('placeholder', t(node.dataset.i18nPlaceholder ?? '', values));
}
