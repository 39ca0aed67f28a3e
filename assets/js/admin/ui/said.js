// Words that a visitor wrote: as text, kept apart from what stands around them, with
// what they hide made visible. And their cover, where a case has one.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { partsOf } from '../model/visible.js';

/** @param {string} text */
export function said(text, className = '') {
  const parts = partsOf(String(text ?? '')).map((part) => ('mark' in part ? el('span', { class: 'op-mark', title: t('op.hidden') }, part.mark) : part.text));
  return el('bdi', { class: `op-said ${className}`, dir: 'auto', translate: 'no' }, ...parts);
}

/**
 * The same below a cover, which a press takes away.
 * @param {string} text @param {boolean} covered @param {() => void} onUncover
 */
export function saidOrCovered(text, covered, onUncover) {
  if (!covered) return said(text);
  return el('button', { type: 'button', class: 'op-cover', test: 'cover', onclick: onUncover }, t('op.covered', { n: [...text].length }));
}
