// What time it is, how long something takes, and times as people read them. The
// only place that asks a clock (a test holds to that): a device's own may be a
// day off, and may be set while the page is open.

const believable = 5000; // within this a device's clock is believed

let ahead = 0; // by how much the server's clock is ahead of the device's

/** The present moment, as the server would say it: for what is labelled with a time. */
export const now = () => Date.now() + ahead;

/** Milliseconds of a clock that cannot be set: for how long something takes, within this page. */
export const monotonicNow = () => performance.now();

/** The device's own clock, right or not: for what it compares with itself, also over its sleep and over pages. */
export const deviceTime = () => Date.now();

/**
 * The server has just said what time it is; its clock is the one that dates messages.
 * @param {number} moment
 */
export function syncClock(moment) {
  if (!Number.isFinite(moment)) return;
  const told = moment - Date.now();
  ahead = Math.abs(told) < believable ? 0 : told;
}

/**
 * 84 s -> "1:24", as the waiting counter shows it.
 * @param {number} ms
 */
export function minutesSeconds(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** @typedef {[count: number, unit: 'minutes' | 'hours' | 'days']} DurationPart */

/**
 * A duration as people say it: one or two numbers with their units. Never shorter than it is, and
 * not much longer: minutes count below ten hours, hours below ten days.
 * @param {number} ms @returns {DurationPart[]}
 */
export function durationParts(ms) {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  if (minutes < 600) return whole([Math.floor(minutes / 60), 'hours'], [minutes % 60, 'minutes']);
  const hours = Math.ceil(minutes / 60);
  if (hours < 48) return [[hours, 'hours']];
  if (hours < 240) return whole([Math.floor(hours / 24), 'days'], [hours % 24, 'hours']);
  return [[Math.ceil(hours / 24), 'days']];
}

/** @param {DurationPart[]} parts */
const whole = (...parts) => parts.filter(([count]) => count > 0);

/**
 * The day of a moment where the reader is; two moments of one day have the same.
 * @param {number} ms
 */
export function dayOf(ms) {
  const date = new Date(ms);
  return (date.getFullYear() * 12 + date.getMonth()) * 31 + date.getDate();
}

/** @param {number} a @param {number} b */
export const sameDay = (a, b) => dayOf(a) === dayOf(b);

/**
 * 'today', 'yesterday' or null; anything older is written as a date.
 * @param {number} then @param {number} present
 */
export function dayName(then, present) {
  if (sameDay(then, present)) return 'today';
  const before = new Date(present);
  before.setDate(before.getDate() - 1);
  return sameDay(then, before.getTime()) ? 'yesterday' : null;
}

/** @param {number} number */
const pad = (number) => String(number).padStart(2, '0');

/**
 * The reader's own clock, 24 hours, the same in every browser language.
 * @param {number} ms
 */
export function clock(ms) {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** @param {number} ms @param {string} lang @param {Intl.DateTimeFormatOptions} [more] */
export function dateText(ms, lang, more = {}) {
  return new Intl.DateTimeFormat(lang, { month: 'long', day: 'numeric', weekday: 'short', ...more }).format(new Date(ms));
}

/**
 * A month, such as "2026-11", which is one of UTC.
 * @param {string} month @param {string} lang
 */
export function monthText(month, lang) {
  return new Intl.DateTimeFormat(lang, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(`${month}-01T00:00:00Z`));
}

/**
 * A moment, with its day where that is not today, and its year where that is another one.
 * @param {number} ms @param {string} lang
 */
export function momentText(ms, lang) {
  if (sameDay(ms, now())) return clock(ms);
  const isThisYear = new Date(ms).getFullYear() === new Date(now()).getFullYear();
  return `${dateText(ms, lang, isThisYear ? {} : { year: 'numeric' })} ${clock(ms)}`;
}

const minute = 60_000;

/**
 * The moment until which something holds, to the minute and never sooner than it is.
 * @param {number} ms @param {string} lang
 */
export const untilText = (ms, lang) => momentText(Math.ceil(ms / minute) * minute, lang);

/** @param {number} ms @param {string} lang */
export function weekday(ms, lang) {
  return new Intl.DateTimeFormat(lang, { weekday: 'short' }).format(new Date(ms));
}
