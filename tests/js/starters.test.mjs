// First sentences: that there are enough of them, which are offered, and when.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startersForAll, startersOfMood, startersOfOwnTag, startersOfTag } from '../../assets/js/lib/starters.js';
import { builtInTags, moods } from '../../assets/js/model/profile.js';
import { followOffer, newOffer, openRound, silence, startersFor } from '../../assets/js/model/starters.js';

const room = (more = {}) => ({ roomId: 'r', me: 'a', commonTags: [], partner: { mood: 'neutral' }, isBot: false, ...more });
const lists = [...Object.values(startersOfTag), ...Object.values(startersOfMood), startersOfOwnTag, startersForAll];

test('there are eight for each topic and mood, in both languages, each of its own', () => {
  assert.deepEqual(Object.keys(startersOfTag).sort(), [...builtInTags].sort());
  assert.deepEqual(Object.keys(startersOfMood).sort(), [...moods].sort());
  for (const list of lists) assert.ok(list.length >= 8, list[0][0]);
  for (const side of [0, 1]) {
    const all = lists.flatMap((list) => list.map((pair) => pair[side]));
    assert.equal(new Set(all).size, all.length);
  }
});

test('they are short, plain, and ask for nothing that tells who or where a person is', () => {
  for (const [zh, en] of lists.flat()) {
    assert.ok([...zh].length <= 24 && en.length <= 64, `${zh} / ${en}`);
    assert.match(zh, /[？。]$/);
    assert.match(en, /[?.]$/);
    assert.doesNotMatch(zh, /[!！?]|幾歲|年紀|住|哪裡人|男|女|本名|學校|公司|LINE|IG/i, zh);
    assert.doesNotMatch(en, /!|\basl\b|\bage\b|how old|where do you live|your name|school|male|phone number|\bgirl|\bboy/i, en);
  }
});

test('three are offered: of the shared topic, else of the mood, else for all', () => {
  const among = (three, list, side) => three.every((text) => list.some((pair) => pair[side] === text));
  const check = (state, lang, list) => {
    const three = startersFor(room(state), lang);
    assert.equal(new Set(three).size, 3);
    assert.ok(among(three, list, lang === 'en' ? 1 : 0), three.join('|'));
  };
  check({ commonTags: ['音樂'] }, 'zh-TW', startersOfTag.音樂);
  check({ commonTags: ['自己的', '電影'] }, 'en', startersOfTag.電影);
  check({ partner: { mood: 'sad' } }, 'en', startersOfMood.sad);
  check({ partner: { mood: 'unheard of' } }, 'zh-TW', startersForAll);
  check({ partner: null }, 'zh-TW', startersForAll);
  check({ isBot: true }, 'en', startersForAll);
  for (const text of startersFor(room({ commonTags: ['K-pop $&'] }), 'en')) assert.match(text, /K-pop \$&/);
});

test('a room offers the same again after a reload, another room and the other side offer others', () => {
  const three = (more) => startersFor(room(more), 'en').join('|');
  assert.equal(three(), three());
  const seen = new Set(['a', 'b', 'c', 'd', 'e', 'f'].flatMap((me) => ['1', '2', '3'].map((roomId) => three({ me, roomId }))));
  assert.ok(seen.size > 9, `${seen.size} of 18`);
  const again = startersFor(room(), 'en', [], 1);
  assert.ok(again.every((text) => !startersFor(room(), 'en').includes(text)));
});

test('one of the operator’s own is among them, in its language', () => {
  const own = [{ language: null, text: 'Both?' }, { language: 'en', text: 'English?' }, { language: 'zh-TW', text: '中文？' }];
  const [first, ...others] = startersFor(room(), 'zh-TW', own);
  assert.ok(['Both?', '中文？'].includes(first));
  assert.equal(others.length, 2);
  assert.ok(others.every((text) => !own.some((it) => it.text === text)));
  assert.equal(startersFor(room(), 'en', [own[2]]).includes('中文？'), false);
  assert.equal(startersFor(room(), 'en', [own[1]])[0], 'English?');
});

test('they go when one of the two has spoken, and come back once after three silent minutes', () => {
  const quiet = { lastSeq: 0, pendingMessages: [], partnerTyping: false };
  const calm = (now) => ({ now, writes: false });
  let offer = newOffer(0);
  const step = (state, circumstances) => {
    offer = followOffer(offer, state, circumstances);
    return openRound(offer);
  };
  assert.equal(step(quiet, calm(10 * silence)), 0, 'as long as nothing is said');
  const said = { ...quiet, lastSeq: 1 };
  assert.equal(step(said, calm(0)), null);
  assert.equal(step(said, calm(silence - 1)), null);
  assert.equal(step(said, { now: silence - 1, writes: true }), null, 'writing is no silence');
  assert.equal(step({ ...said, partnerTyping: true }, calm(silence)), null);
  assert.equal(step(said, calm(2 * silence - 1)), null);
  assert.equal(step(said, calm(2 * silence)), 1);
  assert.equal(step(said, { now: 2 * silence, writes: true }), 1, 'they are only put away while one writes');
  const answered = { ...quiet, lastSeq: 1, pendingMessages: [{ clientId: 'a', content: 'a' }] };
  assert.equal(step(answered, calm(2 * silence)), null);
  assert.equal(step(answered, calm(9 * silence)), null, 'once');
});
