// Times as people read them, and the clock time of a message.
// Pure: the present moment always comes in as an argument.

/** 84 s -> "1:24", as the waiting counter shows it. */
export function minutesSeconds(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function secondsLeft(deadline, now) {
  return Math.max(0, Math.ceil((deadline - now) / 1000));
}

export function sameDay(a, b) {
  const left = new Date(a);
  const right = new Date(b);
  return left.getFullYear() === right.getFullYear() && left.getMonth() === right.getMonth() && left.getDate() === right.getDate();
}

/** 'today', 'yesterday' or null; anything older is written as a date. */
export function dayName(then, now) {
  if (sameDay(then, now)) return 'today';
  const before = new Date(now);
  before.setDate(before.getDate() - 1);
  return sameDay(then, before.getTime()) ? 'yesterday' : null;
}

const pad = (number) => String(number).padStart(2, '0');

/** The reader's own clock, 24 hours, the same in every browser language. */
export function clock(ms) {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

export function dateText(ms, lang) {
  return new Intl.DateTimeFormat(lang, { month: 'long', day: 'numeric', weekday: 'short' }).format(new Date(ms));
}
