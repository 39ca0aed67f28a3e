// Every text exists in both languages, every key used exists, every key is used.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue, languages } from '../../assets/js/lib/catalogue.js';
import { isolate } from '../../assets/js/lib/bidi.js';
import { duration, list, pickLanguage, t } from '../../assets/js/lib/i18n.js';
import { sources } from './sources.mjs';

const own = 'assets/js/lib/catalogue.js';
const code = sources().filter((file) => file.path !== own);
const text = code.map((file) => file.text).join('\n');

test('each text exists in each language and asks for the same values', () => {
  const names = (value) => [...value.matchAll(/\{(\w+)/g)].map((match) => match[1]);
  for (const [key, pair] of Object.entries(catalogue)) {
    assert.equal(pair.length, languages.length, key);
    for (const value of pair) assert.ok(value.trim(), `${key} is empty`);
    assert.deepEqual([...new Set(names(pair[0]))].sort(), [...new Set(names(pair[1]))].sort(), key);
  }
});

test('each key is used', () => {
  for (const key of Object.keys(catalogue)) {
    const direct = text.includes(`'${key}'`) || text.includes(`"${key}"`);
    const prefix = key.slice(0, key.lastIndexOf('.') + 1);
    const built = prefix !== '' && text.includes(`\`${prefix}\${`);
    assert.ok(direct || built, `${key} is not used`);
  }
});

test('each used key exists', () => {
  const used = [
    ...[...text.matchAll(/\bt\(\s*'([^']+)'/g)].map((match) => match[1]),
    ...[...text.matchAll(/data-i18n[a-z-]*="([^"]+)"/g)].map((match) => match[1]),
    ...[...text.matchAll(/'((?:match|end|found|err|net|partner|home|chat|msg|menu)\.[a-zA-Z_]+)'/g)].map((match) => match[1]),
  ];
  for (const key of used) assert.ok(catalogue[key], `${key} is missing`);
  assert.ok(used.length > 100, 'the search for keys found suspiciously few');
});

test('values and plurals are filled in', () => {
  assert.equal(t('home.sub', { t: duration(86_400_000, 'zh-TW') }, 'zh-TW'), '不用註冊。對話結束 24 小時後抹去。');
  assert.match(t('chat.newMessages', { n: 1 }, 'en'), /1 new message$/);
  assert.match(t('chat.newMessages', { n: 2 }, 'en'), /2 new messages$/);
  assert.equal(t('mm.reply', {}, 'en'), 'Reply');
});

test('a value is never read as a placeholder', () => {
  assert.equal(t('end.left', { name: '{t}' }, 'en'), '{t} left.');
});

test('whatever is put into a sentence keeps its place, in each sentence of each language', () => {
  const name = 'عبد الله 42';
  let count = 0;
  for (const [key, pair] of Object.entries(catalogue)) {
    for (const [at, lang] of languages.entries()) {
      const asked = [...pair[at].matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const sentence = t(key, Object.fromEntries(asked.map((value) => [value, name])), lang);
      assert.equal(sentence.split(`\u2068${name}\u2069`).length, asked.length + 1, `${key}: ${sentence}`);
      count += asked.length;
    }
  }
  assert.ok(count > 80);
  assert.equal(t('end.left', { name: 'Anna' }, 'en'), 'Anna left.');
  assert.equal(list(['عربي', 'Rust']), '\u2068عربي\u2069、Rust');
});

test('what is put into a sentence cannot leave its place', () => {
  assert.equal(isolate('\u2069\u202Eabc'), '\u2068\u202Eabc\u2069');
  assert.equal(isolate('\u2067abc'), '\u2068\u2067abc\u2069\u2069');
  assert.equal(isolate('\u2068عبد\u2069、a'), '\u2068\u2068عبد\u2069、a\u2069');
  for (const plain of ['Anna', '安靜的月亮', 'a, b', '1:24', '🙂', 'हिन्दी', '']) assert.equal(isolate(plain), plain);
  for (const turning of ['שלום', 'سلام', 'ދިވެހި', 'ߒߞߏ', '١٢', '\u{1E900}']) assert.notEqual(isolate(turning), turning);
});

test('language: choice, then the operator, then the browser', () => {
  assert.equal(pickLanguage('en', 'zh-TW', ['zh-TW']), 'en');
  assert.equal(pickLanguage(null, 'zh-TW', ['en-US']), 'zh-TW');
  assert.equal(pickLanguage(null, 'auto', ['zh-Hant-HK', 'en']), 'zh-TW');
  assert.equal(pickLanguage(null, 'auto', ['en-GB']), 'en');
  assert.equal(pickLanguage(null, 'auto', ['fr']), 'en');
});
