// First sentences: that there are enough of them, which are offered, and when.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInTags } from '../../assets/js/lib/topics.js';
import { moods } from '../../assets/js/model/profile.js';
import { followOffer, isFolded, newOffer, openRound, silence, startersFor } from '../../assets/js/model/starters.js';
import { languages, starters } from './words.mjs';

const room = (more = {}) => ({ roomId: 'r', me: 'a', commonTags: [], partner: { mood: 'neutral' }, isBot: false, ...more });
const listsOf = (of) => [...Object.values(of.tags), ...Object.values(of.moods), of.ownTag, of.all];
const { en } = starters;

test('there are eight for each topic and mood, in each language, each of its own', () => {
  for (const language of languages) {
    const { tags, moods: byMood, ...others } = starters[language];
    assert.deepEqual(Object.keys(tags).sort(), [...builtInTags].sort(), language);
    assert.deepEqual(Object.keys(byMood).sort(), [...moods].sort(), language);
    assert.deepEqual(Object.keys(others), ['ownTag', 'all'], language);
    const lists = listsOf(starters[language]);
    for (const list of lists) assert.ok(list.length >= 8, list[0]);
    assert.equal(new Set(lists.flat()).size, lists.flat().length, language);
    for (const text of starters[language].ownTag) assert.match(text, /\{tag\}/);
  }
});

test('they are short, plain, and ask for nothing that tells who or where a person is', () => {
  const rules = {
    'zh-TW': { most: 24, end: /[？。]$/, never: /[!！?]|幾歲|年紀|住|哪裡人|男|女|本名|學校|公司|LINE|IG/i },
    en: { most: 64, end: /[?.]$/, never: /!|\basl\b|\bage\b|how old|where do you live|your name|school|male|phone number|\bgirl|\bboy/i },
    ja: { most: 28, end: /[？。]$/, never: /[!！?]|何歳|年齢|住ん|住所|どこの人|男|女|本名|学校|会社|LINE|インスタ(?!ント)/i },
  };
  assert.deepEqual(Object.keys(rules).sort(), [...languages].sort(), 'each language has rules of its own');
  for (const language of languages) {
    const { most, end, never } = rules[language];
    for (const text of listsOf(starters[language]).flat()) {
      assert.ok([...text].length <= most, text);
      assert.match(text, end);
      assert.doesNotMatch(text, never, text);
    }
  }
});

test('three are offered: of the shared topic, else of the mood, else for all', () => {
  const check = (state, list) => {
    const three = startersFor(room(state), 'en', en);
    assert.equal(new Set(three).size, 3);
    assert.ok(three.every((text) => list.includes(text)), three.join('|'));
  };
  check({ commonTags: ['音樂'] }, en.tags.音樂);
  check({ commonTags: ['自己的', '電影'] }, en.tags.電影);
  check({ partner: { mood: 'sad' } }, en.moods.sad);
  check({ partner: { mood: 'unheard of' } }, en.all);
  check({ partner: null }, en.all);
  check({ isBot: true }, en.all);
  for (const text of startersFor(room({ commonTags: ['K-pop $&'] }), 'en', en)) assert.match(text, /K-pop \$&/);
});

test('a room offers the same again after a reload, another room and the other side offer others', () => {
  const three = (more) => startersFor(room(more), 'en', en).join('|');
  assert.equal(three(), three());
  const seen = new Set(['a', 'b', 'c', 'd', 'e', 'f'].flatMap((me) => ['1', '2', '3'].map((roomId) => three({ me, roomId }))));
  assert.ok(seen.size > 9, `${seen.size} of 18`);
  const again = startersFor(room(), 'en', en, [], 1);
  assert.ok(again.every((text) => !startersFor(room(), 'en', en).includes(text)));
});

test('one of the operator’s own is among them, in its language', () => {
  const own = [{ language: null, text: 'Both?' }, { language: 'en', text: 'English?' }, { language: 'zh-TW', text: '中文？' }];
  const [first, ...others] = startersFor(room(), 'zh-TW', starters['zh-TW'], own);
  assert.ok(['Both?', '中文？'].includes(first));
  assert.equal(others.length, 2);
  assert.ok(others.every((text) => !own.some((it) => it.text === text)));
  assert.equal(startersFor(room(), 'en', en, [own[2]]).includes('中文？'), false);
  assert.equal(startersFor(room(), 'en', en, [own[1]])[0], 'English?');
});

test('who is spoken to first still finds them, folded, until they have said something themselves', () => {
  const calm = { now: 0, writes: false };
  const none = { lastSeq: 0, messages: [], pendingMessages: [], partnerTyping: false };
  const heard = { ...none, lastSeq: 2, messages: [{ seq: 1, mine: false }, { seq: 2, mine: false }] };
  const first = followOffer(newOffer(0), none, calm);
  assert.equal(isFolded(first), false);
  const folded = followOffer(first, heard, calm);
  assert.deepEqual([openRound(folded), isFolded(folded)], [0, true]);
  assert.equal(followOffer(folded, { ...heard, lastSeq: 3 }, { now: 9 * silence, writes: false }).phase, 'folded');
  assert.equal(followOffer(newOffer(0), heard, calm).phase, 'folded', 'also after a reload');
  for (const answered of [{ ...heard, pendingMessages: [{ clientId: 'a', content: 'a' }] }, { ...heard, lastSeq: 3, messages: [...heard.messages, { seq: 3, mine: true }] }]) {
    assert.equal(openRound(followOffer(folded, answered, calm)), null);
  }
});

test('they go when one has spoken, and come back once after three silent minutes', () => {
  const quiet = { lastSeq: 0, messages: [], pendingMessages: [], partnerTyping: false };
  const calm = (now) => ({ now, writes: false });
  let offer = newOffer(0);
  const step = (state, circumstances) => {
    offer = followOffer(offer, state, circumstances);
    return openRound(offer);
  };
  assert.equal(step(quiet, calm(10 * silence)), 0, 'as long as nothing is said');
  const said = { ...quiet, lastSeq: 1, messages: [{ seq: 1, mine: true }] };
  assert.equal(step(said, calm(0)), null);
  assert.equal(step(said, calm(silence - 1)), null);
  assert.equal(step(said, { now: silence - 1, writes: true }), null, 'writing is no silence');
  assert.equal(step({ ...said, partnerTyping: true }, calm(silence)), null);
  assert.equal(step(said, calm(2 * silence - 1)), null);
  assert.equal(step(said, calm(2 * silence)), 1);
  assert.equal(step(said, { now: 2 * silence, writes: true }), 1, 'they are only put away while one writes');
  const answered = { ...said, pendingMessages: [{ clientId: 'a', content: 'a' }] };
  assert.equal(step(answered, calm(2 * silence)), null);
  assert.equal(step(answered, calm(9 * silence)), null, 'once');
});
