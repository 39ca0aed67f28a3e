// How a message is shown, and what is left of names and tags that people type.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { cleanNickname, cleanTag, foldEmptyLines, isFewEmoji, orBlank, sameTag, shows, stacksMarks, textParts } from '../../assets/js/model/text.js';
import { wellFormed } from '../../assets/js/model/well-formed.js';

const examples = JSON.parse(readFileSync(new URL('../data/names.json', import.meta.url), 'utf8'));

test('more than two empty lines in a row are folded, whatever they are made of', () => {
  assert.equal(foldEmptyLines('a\n\n\n\n\nb'), 'a\n\n\nb');
  assert.equal(foldEmptyLines('\n'.repeat(1999) + 'b'), '\n\nb');
  assert.equal(foldEmptyLines('a' + '\n'.repeat(50)), 'a\n\n');
  assert.equal(foldEmptyLines('a\r\n \r\n\u200B\r\n\u2800\u3164\r\nb'), 'a\n \n\u200B\nb');
  assert.equal(foldEmptyLines('a\u2028\u2028\u2029\u0085\vb'), 'a\n\n\nb');
});

test('what is written with care stays as it is', () => {
  for (const text of ['', 'a', 'a\nb', 'a\n\n\nb', 'a\r\n\r\nb', ' \n ', 'poem\n\n\n  by line\n']) {
    assert.equal(foldEmptyLines(text), text);
  }
});

test('names and tags come out as they do on the server', () => {
  for (const [typed, left] of examples.names) assert.equal(cleanNickname(typed, 20), left, JSON.stringify(typed));
  for (const [typed, left] of examples.tags) assert.equal(cleanTag(typed), left, JSON.stringify(typed));
  assert.ok(examples.names.length + examples.tags.length > 30);
});

test('a name that was cut keeps no joiner without a job', () => {
  assert.equal(cleanNickname('علی\u200Cرضا', 4), 'علی');
  assert.equal(cleanNickname('👩\u200D👩', 2), '👩');
});

test('a tag is the same with and without a joiner', () => {
  assert.ok(sameTag('❤\uFE0F', '❤'));
  assert.ok(sameTag('می\u200Cروم', 'میروم'));
  assert.ok(!sameTag('❤', '🧡'));
});

test('what shows nothing is known for it, and is never shown blank', () => {
  for (const blank of ['', ' \n', '\u200B', '\u3164', '\uFEFF', '\u2800', '\u00AD', '\u{E0041}', '\u200D\uFE0F', '\u0085', '\u{1D159}']) {
    assert.equal(shows(blank), false, JSON.stringify(blank));
    assert.equal(orBlank(blank, '(blank)'), '(blank)');
  }
  for (const text of ['.', 'a\u200B', '語', '\u0301', '\u06DD', '\uF8FF', '\uD800']) {
    assert.equal(shows(text), true, JSON.stringify(text));
    assert.equal(orBlank(text, '(blank)'), text);
  }
});

test('half a character becomes U+FFFD, in every browser', () => {
  const cases = [['a\ud83d', 'a\ufffd'], ['\ude00b', '\ufffdb'], ['\ud83d\ud83d\ude00', '\ufffd😀'], ['\ude00\ud83d', '\ufffd\ufffd'], ['夜😀', '夜😀'], ['', '']];
  const own = String.prototype.toWellFormed;
  for (const method of [own, undefined]) {
    String.prototype.toWellFormed = method;
    for (const [given, wanted] of cases) assert.equal(wellFormed(given), wanted);
  }
  String.prototype.toWellFormed = own;
  assert.equal(cleanNickname('月\ud83d'), '月\ufffd');
  assert.equal(cleanTag('\ude00貓'), '\ufffd貓');
});

test('one to three emoji alone are known as such', () => {
  for (const few of ['😂', '❤️', '👍🏽', '👨‍👩‍👧', '🇹🇼', '3️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '😂😂😂', '🔥 ❤️', ' 😮 ']) assert.equal(isFewEmoji(few), true, few);
  for (const more of ['', 'a', '😂a', '😂😂😂😂', '3', '©', '12', '😂\n😂', '！', '啊']) assert.equal(isFewEmoji(more), false, more);
  assert.equal(isFewEmoji('😂'.repeat(2000)), false);
});

test('what stands between two fences is code, and nothing is lost of the rest', () => {
  const words = (text) => ({ code: false, text });
  const code = (text) => ({ code: true, text });
  assert.deepEqual(textParts('a\nb'), [words('a\nb')]);
  assert.deepEqual(textParts('```\nx  y\n\nz\n```'), [code('x  y\n\nz')]);
  assert.deepEqual(textParts('a\n```js\nx\n```\nb\n```\ny\n```\n'), [words('a'), code('x'), words('b'), code('y')]);
  for (const open of ['```', '```\nx', 'a ``` b', '```\n```', 'a\n``` x ``` y\nb']) assert.deepEqual(textParts(open), [words(open)], open);
});

test('marks that stand on marks are known, a single one is not', () => {
  for (const text of ['h\u0336\u0335e', '1\uFE0F\u20E3', 'ม\u0E37\u0E48']) assert.equal(stacksMarks(text), true, text);
  for (const text of ['', 'hello', '早安', 'cafe\u0301', '❤️']) assert.equal(stacksMarks(text), false, text);
});
