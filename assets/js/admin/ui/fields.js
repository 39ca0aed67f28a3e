// Fields with their labels, and buttons: the console's few forms are made of these.

import { el, setHidden, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';

let counter = 0;

/** A label above a control that is given its id. @param {string} key of its words @param {HTMLElement} control */
export function field(key, control, { hint } = {}) {
  counter += 1;
  control.id ||= `field-${counter}`;
  control.classList.add('op-input');
  const about = hint && el('span', { class: 'op-hint', id: `${control.id}-hint` }, hint);
  if (about) control.setAttribute('aria-describedby', about.id);
  return el('div', { class: 'op-field' }, el('label', { class: 'op-label', for: control.id }, t(key)), control, about);
}

export const input = (attributes) => el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });

/** @param {string} value */
export function area(value, attributes = {}) {
  const node = el('textarea', { rows: 3, dir: 'auto', maxlength: 2000, ...attributes });
  node.value = value;
  return node;
}

/** A choice of one. @param {[string, string][]} options values with their words @param {string} value */
export function select(options, value, attributes = {}) {
  const node = el('select', attributes, ...options.map(([of, words]) => el('option', { value: of }, words)));
  node.value = value;
  return node;
}

/** @param {string} key @param {() => unknown} onclick */
export const button = (key, onclick, { kind = 'ghost', test, values, ...more } = {}) => el('button', { type: 'button', class: `button-${kind}`, test, onclick, ...more }, t(key, values));

/** What is wrong with a form, below its fields. */
export function wrongLine(test) {
  const node = el('p', { class: 'field-error', role: 'alert', test, hidden: true });
  const say = (words) => {
    setText(node, words);
    setHidden(node, false);
  };
  return { node, say, quiet: () => setHidden(node, true) };
}

/** A form that is sent by Enter and by its button, and never leaves the page. */
export function form(attributes, onsubmit, ...children) {
  return el('form', { ...attributes, novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    onsubmit(event);
  } }, ...children);
}
