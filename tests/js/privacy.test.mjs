// The privacy page says the same in each language, and calls the buttons as they are called.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './sources.mjs';
import { catalogues, languages } from './words.mjs';

const texts = Object.fromEntries(languages.map((language) => [language, readFileSync(join(root, 'assets/privacy', `${language}.html`), 'utf8')]));
const linesOf = (/** @type {string} */ text) => text.split('\n').filter((line) => line.trim() !== '');

test('each language says as much: the same parts in the same order, with the same values', () => {
  const shape = (/** @type {string} */ text) => linesOf(text).map((line) => [line.match(/^<\/?\w+/)?.[0], [...line.matchAll(/\{\{[^}]+\}\}/g)].map(([name]) => name).sort()]);
  const wanted = shape(texts.en);
  assert.ok(wanted.length > 50);
  for (const language of languages) assert.deepEqual(shape(texts[language]), wanted, language);
});

test('a button is called as on the page', () => {
  for (const language of languages) {
    const words = catalogues[language];
    const both = [words.next, words['menu.leave']].join(words['list.separator']);
    const wanted = [words['mm.recall'], words['mm.delete'], both, words['menu.block'], words['menu.report'], words['transcript.title'], words['menu.forget']];
    const terms = [...texts[language].matchAll(/<dt>([^<]+)<\/dt>/g)].map(([, term]) => term);
    assert.deepEqual(terms.slice(-wanted.length), wanted, language);
  }
});

test('a line that may be left out stands alone', () => {
  for (const language of languages) {
    for (const line of linesOf(texts[language])) {
      if (/site\.(no_)?contact\b|site\.imprint|kept\.longest/.test(line)) assert.match(line, /^<(li|dd)>.*<\/\1>$/, language);
    }
  }
});
