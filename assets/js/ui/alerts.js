// How the page calls a person who looks elsewhere: the tab's title, a soft
// sound, one notification without any words of a message. Sound is off at first.

import { t } from '../lib/i18n.js';
import { notifications, sound } from '../lib/settings.js';
import { monotonicNow } from '../lib/time.js';

const quietFor = 10_000;
const soundGap = 3000;
const noticeTag = 'miyu-someone';

let title = document.title;
let flash = null;
let flashTimer = null;
let unread = 0;
let touchedAt = monotonicNow();
let soundedAt = -Infinity;
let audio = null;
let resumed = null;
let notice = null;
let saidLast = ''; // by the notification that is there
let badge = 0; // on the icon of an installed site

/** Whether this person looks at something else: another tab, another window. */
const isAway = () => document.hidden || !document.hasFocus();

const paint = () => {
  const shown = flash ?? title;
  document.title = unread > 0 ? `(${unread}) ${shown}` : shown;
  paintFavicon(unread > 0 || flash !== null);
  paintBadge();
};

/** The number on the icon, where the site is installed and the system shows one. */
function paintBadge() {
  if (badge === unread) return;
  badge = unread;
  // Of a site that is not installed it is refused, or does nothing.
  navigator.setAppBadge?.(unread).catch(() => {});
}

/** With a dot while something came that was not looked at. */
function paintFavicon(isNews) {
  const link = document.querySelector('link[rel="icon"]');
  if (!link) return;
  link.dataset.plain ??= link.href;
  const wanted = isNews ? link.dataset.plain.replace(/favicon\.svg$/, 'favicon-new.svg') : link.dataset.plain;
  if (link.href !== wanted) link.href = wanted;
}

export function setTitle(next) {
  title = next;
  paint();
}

/** Shows `text` as the title until the page was looked at for a moment. */
export function flashTitle(text) {
  flash = text;
  paint();
  endFlash();
}

function endFlash() {
  clearTimeout(flashTimer);
  if (flash === null || document.hidden) return;
  flashTimer = setTimeout(() => {
    flash = null;
    paint();
  }, 3000);
}

export function countUnread(more) {
  unread = isAway() ? unread + more : 0;
  paint();
}

/** What was called out is seen: the number goes, and so does the notification. */
function returned() {
  if (isAway()) return;
  unread = 0;
  paint();
  notice?.close();
  notice = null;
  saidLast = '';
}

function touched() {
  touchedAt = monotonicNow();
  returned();
  // Browsers let a page sound only after a gesture; this is one. For a finger
  // it is one when it is lifted.
  if (sound.get()) resumed = context()?.resume?.() ?? null;
}

for (const name of ['pointerdown', 'pointerup', 'keydown']) addEventListener(name, touched, { passive: true });
addEventListener('focus', returned);
document.addEventListener('visibilitychange', () => {
  endFlash();
  returned();
});

function context() {
  const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
  if (!audio && Context) audio = new Context();
  return audio;
}

/** Plays now, or as soon as the sound that a press has just allowed has started; never much later. */
function play(notes, decibels) {
  const out = context();
  if (!out) return;
  if (out.state === 'running') {
    sing(out, notes, decibels);
    return;
  }
  const asked = monotonicNow();
  resumed?.then(() => {
    if (out.state === 'running' && monotonicNow() - asked < soundGap) sing(out, notes, decibels);
  }, () => {});
}

function sing(out, notes, decibels) {
  const loudness = 10 ** (decibels / 20);
  let start = out.currentTime + 0.01;
  for (const [frequency, seconds] of notes) {
    const tone = out.createOscillator();
    const gain = out.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(loudness, start + 0.012);
    gain.gain.linearRampToValueAtTime(0, start + seconds);
    tone.connect(gain).connect(out.destination);
    tone.start(start);
    tone.stop(start + seconds);
    start += seconds;
  }
}

export function alertMeeting() {
  if (sound.get()) {
    play([[440, 0.09], [659.26, 0.09]], -18);
    navigator.vibrate?.(30);
  }
  notify(t('notify.someone'));
}

/** The conversation has ended while one looked elsewhere. */
export const alertEnd = () => notify(t('notify.left'));

export function alertMessage() {
  notify(t('notify.message'));
  const now = monotonicNow();
  if (!document.hidden && now - touchedAt < quietFor) return;
  if (!sound.get() || now - soundedAt < soundGap) return;
  soundedAt = now;
  play([[587.33, 0.06]], -24);
}

/** One at a time, the newest: it says neither who nor what. */
function notify(words) {
  if (!document.hidden || !notifies() || (notice && saidLast === words)) return;
  saidLast = words;
  try {
    notice = new Notification(words, { tag: noticeTag, silent: true });
    notice.onclick = () => globalThis.focus();
  } catch {
    notice = noticeOfWorker(words);
  }
}

/** Phones allow notifications from a service worker only, which also leads back here when it is pressed. */
function noticeOfWorker(words) {
  const shown = navigator.serviceWorker?.getRegistration().then(async (registration) => {
    await registration?.showNotification(words, { tag: noticeTag, silent: true });
    return registration;
  });
  const close = async () => {
    const registration = await shown;
    for (const old of (await registration?.getNotifications({ tag: noticeTag })) ?? []) old.close();
  };
  shown?.catch(() => {});
  return { close: () => close().catch(() => {}) };
}

export const canNotify = () => 'Notification' in globalThis && globalThis.isSecureContext;

/** Whether notifications are on; the browser may have taken its leave back. */
export const notifies = () => notifications.get() && canNotify() && Notification.permission === 'granted';

/** Turns notifications on or off. Resolves to false when the browser refuses. */
export async function toggleNotifications() {
  if (notifies()) {
    notifications.set(false);
    return true;
  }
  notifications.set((await Notification.requestPermission()) === 'granted');
  return notifies();
}

export function toggleSound() {
  sound.set(!sound.get());
  if (sound.get()) context()?.resume?.().then(() => play([[587.33, 0.06]], -24));
}
