// Profiles, nicknames, tags, the guest of a second window, and counting.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addOwnTag, avatarCount, defaultNickname, guestProfile, readProfile, removeOwnTag, toggleTag, userData } from '../../assets/js/model/profile.js';
import { setLanguage, tagLabel } from '../../assets/js/lib/i18n.js';
import { builtInTags, offerTopics } from '../../assets/js/lib/topics.js';
import { t } from '../../assets/js/lib/i18n.js';
import { cleanNickname, cleanTag, countCharacters } from '../../assets/js/model/text.js';
import { languages } from './words.mjs';

const first = (items) => items[0];
const last = (items) => items[items.length - 1];

test('nothing stored: a whole profile whose gender is not chosen', () => {
  const profile = readProfile(null, 'zh-TW', first);
  assert.equal(profile.gender, null);
  assert.equal(profile.mood, 'neutral');
  assert.equal(profile.wish, 'all');
  assert.deepEqual(profile.tags, []);
  assert.ok(profile.nickname);
});

test('nonsense in the store becomes defaults', () => {
  const profile = readProfile({ avatar: '99', mood: 3, gender: 'x', wish: [], tags: 'no', nickname: '\u202e ' }, 'en', first);
  assert.deepEqual([profile.mood, profile.gender, profile.wish, profile.tags], ['neutral', null, 'all', []]);
  assert.ok(Number(profile.avatar) >= 1 && Number(profile.avatar) <= avatarCount);
});

test('default names fit the limit for every light in each language', () => {
  for (let avatar = 1; avatar <= avatarCount; avatar += 1) {
    for (const lang of languages) {
      for (const pick of [first, last]) {
        const name = defaultNickname(String(avatar), lang, pick);
        assert.ok(countCharacters(name) <= (lang === 'en' ? 20 : 12), name);
        assert.equal(cleanNickname(name), name);
        assert.notEqual(name, t(`avatar.${avatar}`, {}, lang), 'an adjective fits each of them');
      }
    }
  }
});

test('three tags at most, and off again', () => {
  let profile = readProfile({}, 'en', first);
  for (const tag of builtInTags.slice(0, 3)) profile = toggleTag(profile, tag);
  assert.equal(toggleTag(profile, builtInTags[3]), profile);
  assert.equal(toggleTag(profile, builtInTags[0]).tags.length, 2);
});

test('own words: cleaned, found again whatever their case, removed', () => {
  const start = readProfile({}, 'en', first);
  const profile = addOwnTag(start, '  Ｃats\u200b ');
  assert.deepEqual(profile.tags, ['Cats']);
  assert.deepEqual(addOwnTag(profile, 'CATS').tags, ['Cats']);
  assert.deepEqual(removeOwnTag(profile, 'cats').ownTags, []);
  assert.equal(addOwnTag(start, '   '), start);
  assert.deepEqual(addOwnTag(start, '音樂').ownTags, []);
});

test('a guest fits the wish and shares a tag of the first window', () => {
  const guest = guestProfile({ avatar: '1', gender: 'male', wish: 'female', tags: ['電影', '貓咪'] }, 'zh-TW', first);
  assert.equal(guest.gender, 'female');
  assert.equal(guest.wish, 'all');
  assert.deepEqual(guest.tags, ['電影']);
  assert.notEqual(guest.avatar, '1');
  assert.ok(guestProfile(null, 'en', first).gender);
});

test('the wire gets the names of the protocol and no more', () => {
  const data = userData(readProfile({ gender: 'male' }, 'en', first), ['ja']);
  assert.deepEqual(Object.keys(data).sort(), ['avatar', 'gender', 'languages', 'mood', 'nickname', 'preferredGender', 'tags']);
  assert.deepEqual(data.languages, ['ja']);
  const gender = (chosen) => userData(readProfile({ gender: chosen }, 'en', first), []).gender;
  assert.deepEqual(['male', 'female', 'other', 'private', null].map(gender), ['male', 'female', 'other', 'other', 'other']);
});

test('text: scalar values, hidden characters, limits', () => {
  assert.equal(countCharacters('👋a字'), 3);
  assert.equal(cleanNickname(' a\u200b\u202eb \n c '), 'ab c');
  assert.equal(cleanNickname('一二三四五六七八九十一二三四'), '一二三四五六七八九十一二');
  assert.equal(cleanNickname('Bartholomew of the Hills'), 'Bartholomew of the H');
  assert.equal(cleanNickname('Bartholomew 小明'), 'Bartholomew');
  assert.equal(cleanTag('ＡＢ'), 'AB');
});

test('topics of the site take the place of our own, with their names in English', () => {
  offerTopics([{ tag: '期末考', names: { en: 'Finals' } }, { tag: 'Rust' }, { no: 'topic' }]);
  try {
    const profile = addOwnTag(readProfile({}, 'en', first), 'rust');
    assert.deepEqual([profile.tags, profile.ownTags], [['Rust'], []], 'a word of one’s own that is offered is the offered one');
    setLanguage('en');
    assert.equal(tagLabel('期末考'), 'Finals');
    setLanguage('zh-TW');
    assert.equal(tagLabel('期末考'), '期末考');
    offerTopics([]);
    offerTopics(null);
    assert.equal(addOwnTag(profile, '期末考').ownTags.length, 0, 'no list of topics changes nothing');
  } finally {
    offerTopics(builtInTags.map((tag) => ({ tag })));
  }
});
