// Sanctions as a list: what, under which rule, from when, whether it still holds.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { now } from '../../lib/time.js';
import { kindName, left, moment, reasonName } from './format.js';

/** Said once, or written down: they do not last. */
const moments = new Set(['warning', 'note']);

/** In words whether it holds; null: there is nothing to hold. */
function stateOf({ kind, lifted, until_ms: until }) {
  if (lifted) return t('op.sanction.lifted');
  if (moments.has(kind)) return null;
  if (typeof until !== 'number') return t('op.sanction.holds');
  return until > now() ? t('op.sanction.left', { t: left(until) }) : t('op.sanction.over');
}

/** One in a line: what, whose it was, and until when. @param {any} it */
export function sanctionWords(it) {
  const by = it.automatic ? t('op.automatic') : t('op.by', { name: it.by ?? t('op.machine') });
  return `${[kindName(it.kind, it.rule), reasonName(it.rule), it.target !== 'person' && t(`op.target.${it.target}`), stateOf(it), by].filter(Boolean).join(' · ')}.`;
}

/** @param {any[]} sanctions @param {(sanction: any) => (Node | null)} more what else stands in the row */
export function sanctionList(sanctions, more = () => null, className = '') {
  const row = (it) =>
    el('li', { class: 'op-row', test: 'sanction' },
      el('p', { class: 'op-row-main' }, el('strong', {}, kindName(it.kind, it.rule)), ` · ${reasonName(it.rule)}`, it.target && it.target !== 'person' && ` · ${t(`op.target.${it.target}`)}`),
      el('p', { class: 'op-meta' }, [moment(it.at_ms), stateOf(it), it.automatic ? t('op.automatic') : it.by && t('op.by', { name: it.by })].filter(Boolean).join(' · ')),
      more(it));
  return el('ul', { class: `op-rows ${className}` }, ...sanctions.map(row));
}
