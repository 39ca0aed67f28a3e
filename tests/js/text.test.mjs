// How a message is shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldEmptyLines } from '../../assets/js/model/text.js';

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
