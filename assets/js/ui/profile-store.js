// Where a profile lives: localStorage for this browser, or sessionStorage for
// a guest window, whose random person must not replace the real one.

import { choose } from '../lib/id.js';
import { language } from '../lib/i18n.js';
import { local, tab } from '../lib/storage.js';
import { now } from '../lib/time.js';
import { guestProfile, readProfile } from '../model/profile.js';

export const isGuest = () => tab.get('guest') !== null;

export function loadProfile() {
  return readProfile(tab.get('guest') ?? local.get('profile'), language(), choose);
}

export function saveProfile(profile) {
  if (isGuest()) tab.set('guest', profile);
  else local.set('profile', profile);
}

/** Makes this tab a guest of the profile stored in the browser. */
export function becomeGuest() {
  tab.set('guest', guestProfile(local.get('profile'), language(), choose));
}

export const hasConsent = () => local.get('consent') !== null;
export const giveConsent = (age) => local.set('consent', { age, at: now() });
