// The line of numbers under the start button. Never a zero: what there is none
// of goes unsaid, and when nobody is there it says so in words.

import { setText } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

const numbers = ['online', 'waiting', 'rooms'];

/** `stats` is what /api/stats said, or null when the server cannot be reached. */
export function mountStats(node) {
  return {
    update(stats, reachable) {
      if (!reachable) setText(node, t('home.away'));
      else if (!stats) setText(node, '\u00a0');
      else setText(node, words(stats) || t('home.statsZero'));
    },
  };
}

function words(stats) {
  const some = numbers.filter((name) => stats[name] > 0);
  return some.map((name) => t(`stats.${name}`, { n: stats[name] })).join(' · ');
}
