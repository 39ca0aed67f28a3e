// When the operator expects people (site.hours), in the reader's own time.

import { duration, language, t } from '../lib/i18n.js';
import { clock, sameDay, weekday } from '../lib/time.js';

/** @typedef {{ from_ms: number, to_ms: number }} Opening the one that is going on, or else the next */

/**
 * @param {Opening | null} hours @param {number} moment
 * @returns {'none' | 'open' | 'later'}
 */
export function stateOfHours(hours, moment) {
  if (!hours || moment >= hours.to_ms) return 'none';
  return moment >= hours.from_ms ? 'open' : 'later';
}

/**
 * What fills a sentence about an opening that comes: when it is, and how long until then.
 * @param {Opening} hours @param {number} moment
 */
export function untilHours({ from_ms: from, to_ms: to }, moment) {
  const day = sameDay(from, moment) ? t('day.today') : weekday(from, language());
  return { when: `${day} ${clock(from)}–${clock(to)}`, t: duration(from - moment) };
}

/**
 * The line of home, or nothing.
 * @param {Opening | null} hours @param {number} moment
 */
export function hoursText(hours, moment) {
  const state = stateOfHours(hours, moment);
  if (state === 'none' || !hours) return '';
  return state === 'open' ? t('hours.open', { time: clock(hours.to_ms) }) : t('hours.later', untilHours(hours, moment));
}
