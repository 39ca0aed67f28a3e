// How the page calls somebody who looks elsewhere: the tab's title, a soft
// sound, one notification without any words of a message. Sound is off at first.

import { t } from '../lib/i18n.js';
import { notifications, sound } from '../lib/settings.js';

const quietFor = 10_000;
const soundGap = 3000;

let title = document.title;
let flash = null;
let flashTimer = null;
let unread = 0;
let touchedAt = Date.now();
let soundedAt = 0;
let audio = null;

const paint = () => {
  const shown = flash ?? title;
  document.title = unread > 0 ? `(${unread}) ${shown}` : shown;
};

export function setTitle(next) {
  title = next;
  paint();
}

/** Shows `text` as the title until somebody has looked at it for a moment. */
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
  unread = document.hidden ? unread + more : 0;
  paint();
}

function touched() {
  touchedAt = Date.now();
  // Browsers let a page sound only after a gesture; this is one.
  if (sound.get()) context()?.resume?.();
}

for (const name of ['pointerdown', 'keydown']) addEventListener(name, touched, { passive: true });
document.addEventListener('visibilitychange', () => {
  endFlash();
  if (document.hidden) return;
  unread = 0;
  paint();
});

function context() {
  const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
  if (!audio && Context) audio = new Context();
  return audio;
}

function play(notes, decibels) {
  const out = context();
  if (!out || out.state !== 'running') return;
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
  notifySomeone();
}

export function alertMessage() {
  const now = Date.now();
  if (!document.hidden && now - touchedAt < quietFor) return;
  if (!sound.get() || now - soundedAt < soundGap) return;
  soundedAt = now;
  play([[587.33, 0.06]], -24);
}

function notifySomeone() {
  if (!document.hidden || !notifications.get()) return;
  if (!canNotify() || Notification.permission !== 'granted') return;
  try {
    new Notification(t('notify.someone'), { tag: 'miyu-someone', silent: true });
  } catch {
    // Some phones allow notifications from a service worker only.
  }
}

export const canNotify = () => 'Notification' in globalThis && globalThis.isSecureContext;

/** Turns notifications on or off; resolves to what they are now. */
export async function toggleNotifications() {
  if (notifications.get()) notifications.set(false);
  else notifications.set((await Notification.requestPermission()) === 'granted');
  return notifications.get();
}

export function toggleSound() {
  sound.set(!sound.get());
  if (sound.get()) context()?.resume?.().then(() => play([[587.33, 0.06]], -24));
}
