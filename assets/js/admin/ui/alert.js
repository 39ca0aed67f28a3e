// What went wrong, in words, above the view, until something goes right.

import { setHidden, setText } from '../../lib/dom.js';
import { duration, t } from '../../lib/i18n.js';
import { Refusal } from '../api.js';

const place = () => document.querySelector('[data-slot="alert"]');

/** The words for an error. A refusal that the console has no words for brings the server's. */
export function wordsFor(error) {
  if (!(error instanceof Refusal)) return t('op.err.outage');
  const values = { name: error.problem.by ?? error.problem.name ?? error.problem.claim?.name ?? t('op.err.another'), t: duration(error.waitMs || null), detail: error.detail };
  const key = `op.err.${error.code}`;
  const words = t(key, values);
  return words === key ? t('op.err.refused', values) : words;
}

/** @param {string} words */
export function complain(words) {
  const node = place();
  if (!node) return;
  setText(node, '');
  setText(node, words);
  setHidden(node, false);
  node.scrollIntoView({ block: 'nearest' });
}

export function quiet() {
  const node = place();
  if (node) setHidden(node, true);
}

/**
 * Takes a step, and says in words why it could not be taken: above the view, or where `say` puts it.
 * Answers whether it was.
 */
export async function attempt(step, say = complain) {
  try {
    await step();
    quiet();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal) && error.name !== 'Error') throw error;
    say(wordsFor(error));
    return false;
  }
}
