// The current language and the lookup of a text. Not the texts (catalogue.js).
// The language follows: the person's choice, the operator's default, the browser.

import { isolate } from './bidi.js';
import { setText } from './dom.js';
import { catalogue, languages } from './catalogue.js';
import { lasting } from './time.js';

let current = 'zh-TW';
const listeners = new Set();

/** Which of our languages a list of browser languages asks for. */
export function pickLanguage(chosen, siteDefault, browser) {
  if (languages.includes(chosen)) return chosen;
  if (languages.includes(siteDefault)) return siteDefault;
  for (const tag of browser ?? []) {
    if (/^zh\b/i.test(tag)) return 'zh-TW';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function language() {
  return current;
}

export function setLanguage(next) {
  current = languages.includes(next) ? next : 'zh-TW';
  for (const listener of listeners) listener(current);
}

/** Calls `listener` on every later change of language. */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The text of `key`, with `{name}` and `{n|one|many}` filled from `values`. Sentences with a name or a
 * text of a person are made here and nowhere else: it keeps their order whatever its direction is.
 */
export function t(key, values = {}, lang = current) {
  const pair = catalogue[key];
  if (!pair) return key;
  const text = pair[languages.indexOf(lang)];
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name, one, many) => {
    if (!(name in values)) return whole;
    if (one === undefined) return isolate(String(values[name]));
    return Number(values[name]) === 1 ? one : many;
  });
}

/** The text of `key` before and after `{name}`: for a part that has an element of its own. */
export function around(key, name, values = {}) {
  const gap = { toString: () => '\u0000', valueOf: () => values[name] };
  const [before, after = ''] = t(key, { ...values, [name]: gap }).split('\u0000');
  return [before, after];
}

/** Each of them in its place, as in a sentence. */
export function list(items) {
  return items.map(isolate).join(t('list.separator'));
}

/** How long something takes, in words: `24 hours`, `1 hour 20 minutes`. Without a number, `a while`. */
export function duration(ms, lang = current) {
  if (typeof ms !== 'number' || Number.isNaN(ms)) return t('time.while', {}, lang);
  return lasting(ms).map(([n, unit]) => t(`time.${unit}`, { n }, lang)).join(' ');
}

/** A tag as people read it: built-ins are translated, others are theirs. */
export function tagLabel(tag) {
  return catalogue[`tag.${tag}`] ? t(`tag.${tag}`) : tag;
}

export function tagList(tags) {
  return list(tags.map(tagLabel));
}

/**
 * Fills every element that names its text: data-i18n, data-i18n-label, … What the operator wrote instead
 * (data-own) stays, in any language.
 */
export function translate(root, values = {}) {
  for (const node of root.querySelectorAll('[data-i18n]')) setText(node, node.dataset.own || t(node.dataset.i18n, values));
  for (const node of root.querySelectorAll('[data-i18n-label]')) {
    node.setAttribute('aria-label', t(node.dataset.i18nLabel, values));
  }
  for (const node of root.querySelectorAll('[data-i18n-placeholder]')) {
    node.placeholder = t(node.dataset.i18nPlaceholder, values);
  }
}
