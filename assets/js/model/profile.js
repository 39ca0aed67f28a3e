// A profile: what a person shows and wishes for. Pure: chance comes in as
// `choose`, the language as an argument. Not the form (ui/profile-card.js).

import { cleanNickname, cleanTag, countCharacters, nicknameLimit, sameTag } from './text.js';
import { t } from '../lib/i18n.js';
import { offeredTags } from '../lib/topics.js';

/**
 * @typedef {object} Profile
 * @property {string} avatar a number from 1 on
 * @property {string} nickname
 * @property {boolean} named true once the person has typed a name; until then it follows the avatar
 * @property {string} mood
 * @property {string | null} gender null until it is chosen
 * @property {string} wish
 * @property {string[]} tags
 * @property {string[]} ownTags
 */

/** @typedef {<T>(from: T[]) => T} Choose chance */

export const moods = ['happy', 'neutral', 'sad'];
// Two ways to say neither; on the wire they are one.
export const genders = ['male', 'female', 'other', 'private'];
export const wishes = ['all', 'male', 'female', 'other'];
export const maxTags = 3;
export const avatarCount = 20;

/**
 * A name to begin with, without typing: 安靜的天燈 / Calm Lantern, at most `limit` long, a Latin one longer.
 * @param {string} avatar @param {string} lang @param {Choose} choose
 */
export function defaultNickname(avatar, lang, choose, limit = 12) {
  const thing = t(`avatar.${avatar}`, {}, lang);
  const pattern = t('nickname.pattern', {}, lang);
  const named = (/** @type {string} */ adjective) => pattern.replace('{adjective}', adjective).replace('{light}', thing);
  const fitting = t('nickname.adjectives', {}, lang).split(/[,、،] */).map(named).filter((name) => countCharacters(name) <= nicknameLimit(name, limit));
  return fitting.length > 0 ? choose(fitting) : thing;
}

/**
 * @template T
 * @param {any} value @param {string[]} allowed @param {T} otherwise @returns {string | T}
 */
const oneOf = (value, allowed, otherwise) => (allowed.includes(value) ? value : otherwise);

/**
 * Makes a whole profile out of what was stored, which may be anything; gender may stay unchosen.
 * @param {any} stored @param {string} lang @param {Choose} choose @returns {Profile}
 */
export function readProfile(stored, lang, choose) {
  const from = stored && typeof stored === 'object' ? stored : {};
  const number = Number.parseInt(from.avatar, 10);
  const avatar = String(number >= 1 && number <= avatarCount ? number : choose(range(avatarCount)));
  const nickname = typeof from.nickname === 'string' ? cleanNickname(from.nickname) : '';
  return {
    avatar,
    nickname: nickname || defaultNickname(avatar, lang, choose),
    named: Boolean(nickname && from.named),
    mood: oneOf(from.mood, moods, 'neutral'),
    gender: oneOf(from.gender, genders, null),
    wish: oneOf(from.wish, wishes, 'all'),
    tags: readTags(from.tags),
    ownTags: readTags(from.ownTags),
  };
}

/** @param {unknown} value */
function readTags(value) {
  /** @type {string[]} */
  const kept = [];
  for (const raw of Array.isArray(value) ? value : []) {
    const tag = typeof raw === 'string' ? cleanTag(raw) : '';
    if (tag && kept.length < maxTags && !kept.some((other) => sameTag(other, tag))) kept.push(tag);
  }
  return kept;
}

/** @param {number} count */
const range = (count) => Array.from({ length: count }, (_, index) => index + 1);

/**
 * Turns a tag on or off. Returns the same profile when three are already on.
 * @param {Profile} profile @param {string} tag @returns {Profile}
 */
export function toggleTag(profile, tag) {
  if (profile.tags.some((other) => sameTag(other, tag))) {
    return { ...profile, tags: profile.tags.filter((other) => !sameTag(other, tag)) };
  }
  if (profile.tags.length >= maxTags) return profile;
  return { ...profile, tags: [...profile.tags, tag] };
}

/**
 * Adds a tag of the person's own and turns it on.
 * @param {Profile} profile @param {string} text @returns {Profile}
 */
export function addOwnTag(profile, text) {
  const tag = cleanTag(text);
  if (!tag) return profile;
  const known = [...offeredTags(), ...profile.ownTags].find((other) => sameTag(other, tag));
  if (known) return profile.tags.includes(known) ? profile : toggleTag(profile, known);
  if (profile.tags.length >= maxTags) return profile;
  return { ...profile, ownTags: [...profile.ownTags, tag].slice(-maxTags), tags: [...profile.tags, tag] };
}

/** @param {Profile} profile @param {string} tag @returns {Profile} */
export function removeOwnTag(profile, tag) {
  return {
    ...profile,
    ownTags: profile.ownTags.filter((other) => !sameTag(other, tag)),
    tags: profile.tags.filter((other) => !sameTag(other, tag)),
  };
}

/**
 * A random second person who fits the first one's wishes and tags at once.
 * @param {any} first what was stored @param {string} lang @param {Choose} choose @returns {Profile}
 */
export function guestProfile(first, lang, choose) {
  const others = range(avatarCount).map(String).filter((avatar) => avatar !== first?.avatar);
  const avatar = choose(others);
  const gender = genders.includes(first?.wish) ? first.wish : choose(genders);
  return {
    ...readProfile({}, lang, choose),
    avatar,
    nickname: defaultNickname(avatar, lang, choose),
    mood: choose(moods),
    gender,
    wish: 'all',
    tags: first?.tags?.length ? [first.tags[0]] : [],
    ownTags: first?.tags?.length && !offeredTags().includes(first.tags[0]) ? [first.tags[0]] : [],
  };
}

/**
 * What goes on the wire with start_matching.
 * @param {Profile} profile @param {string[]} languages in which this person talks
 */
export function userData(profile, languages) {
  return {
    nickname: profile.nickname,
    avatar: profile.avatar,
    mood: profile.mood,
    gender: !profile.gender || profile.gender === 'private' ? 'other' : profile.gender,
    preferredGender: profile.wish,
    tags: profile.tags,
    languages,
  };
}
