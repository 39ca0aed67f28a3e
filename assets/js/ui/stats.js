// The line of numbers under the start button. Never a big zero: when nobody is
// there it says so in words.

import { setText } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

/** `stats` is what /api/stats said, or null when the server cannot be reached. */
export function mountStats(node) {
  return {
    update(stats, reachable) {
      if (!reachable) setText(node, t('home.away'));
      else if (!stats) setText(node, '\u00a0');
      else if (stats.online > 0 || stats.rooms > 0) setText(node, t('home.stats', stats));
      else setText(node, t('home.statsZero'));
    },
  };
}
