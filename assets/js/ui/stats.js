// The line of numbers under the start button. The server tells them rounded
// down, and from places rather than browsers: below ten they only say that a few
// people are here. What there are fewer of goes unsaid, never a zero.

import { setText } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

const numbers = ['online', 'waiting', 'rooms'];
/** From here on a number says "at least so many". */
const many = 10;

/** `stats` is what /api/stats said, or null when the server cannot be reached. */
export function mountStats(node) {
  return {
    update(stats, reachable) {
      if (!reachable) setText(node, t('home.away'));
      else if (!stats) setText(node, '\u00a0');
      else setText(node, words(stats));
    },
  };
}

/**
 * A chat is said only where its two people are among those who are said to be online: these are counted by
 * places, of which one may hold a whole class.
 */
const agrees = (stats) => (name) => name !== 'rooms' || 2 * stats.rooms <= stats.online;

function words(stats) {
  const some = numbers.filter((name) => stats[name] >= many).filter(agrees(stats));
  if (some.length > 0) return some.map((name) => t(`stats.${name}`, { n: stats[name] })).join(' · ');
  return t(numbers.some((name) => stats[name] > 0) ? 'home.statsFew' : 'home.statsZero');
}
