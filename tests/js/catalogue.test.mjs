// Every text exists in every language, every key used exists, every key is used.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isolate } from '../../assets/js/lib/bidi.js';
import { duration, list, setLanguage, t } from '../../assets/js/lib/i18n.js';
import { root, sources } from './sources.mjs';
import { catalogues, languages } from './words.mjs';

// The server writes some of them into pages.
const textOf = (files) => files.map((file) => file.text).join('\n');
const pages = textOf(sources());
const text = pages + textOf(sources('src/assets', /\.rs$/));
const keys = Object.keys(catalogues.en);
/** The values that a text asks for. @param {string} value */
const names = (value) => [...new Set([...value.matchAll(/\{(\w+)/g)].map((match) => match[1]))].sort();

test('each text exists in each language and asks for the same values', () => {
  assert.ok(languages.length > 1);
  for (const language of languages) {
    const catalogue = catalogues[language];
    const file = `words/${language}.json`;
    assert.deepEqual(keys.filter((key) => !(key in catalogue)), [], `missing in ${file}`);
    assert.deepEqual(Object.keys(catalogue).filter((key) => !keys.includes(key)), [], `too many in ${file}`);
    for (const key of keys) {
      assert.ok(catalogue[key].trim(), `${key} is empty in ${file}`);
      assert.deepEqual(names(catalogue[key]), names(catalogues.en[key]), `${key} in ${file}`);
    }
    assert.match(catalogue['language.direction'], /^(ltr|rtl)$/);
  }
});

test('each text stands in a file once', () => {
  for (const language of languages) {
    const lines = readFileSync(join(root, 'assets/words', `${language}.json`), 'utf8').split('\n');
    const written = lines.map((line) => line.match(/^ {2}"([^"]+)": /)?.[1]).filter(Boolean);
    assert.deepEqual(written, [...new Set(written)], language);
    assert.equal(written.length, keys.length, language);
  }
});

test('each key is used', () => {
  for (const key of keys) {
    const direct = text.includes(`'${key}'`) || text.includes(`"${key}"`);
    const prefix = key.slice(0, key.lastIndexOf('.') + 1);
    const built = prefix !== '' && text.includes(`\`${prefix}\${`);
    assert.ok(direct || built, `${key} is not used`);
  }
});

test('each used key exists', () => {
  const used = [
    ...[...pages.matchAll(/\bt\(\s*'([^']+)'/g)].map((match) => match[1]),
    ...[...pages.matchAll(/data-i18n[a-z-]*="([^"]+)"/g)].map((match) => match[1]),
    ...[...pages.matchAll(/'((?:match|end|found|err|net|partner|home|chat|msg|menu)\.[a-zA-Z_]+)'/g)].map((match) => match[1]),
  ];
  // The console's words are a catalogue of their own (console.test.mjs).
  for (const key of used) if (!key.startsWith('op.')) assert.ok(keys.includes(key), `${key} is missing`);
  assert.ok(used.length > 100, 'the search for keys found suspiciously few');
});

/** The rows of a list of texts in a source of the server: the first texts between `name` and the next `;`. */
const listed = (/** @type {string} */ source, /** @type {string} */ name) => [...source.slice(source.indexOf(name)).split(';\n')[0].matchAll(/"([^"]+)"/g)].map((match) => match[1]);

/** What a file imports, at its start or later. */
function imports(/** @type {string} */ file, /** @type {RegExp} */ form) {
  const code = readFileSync(join(root, file), 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, '');
  return [...code.matchAll(form)].map((match) => join(dirname(file), match[1]));
}

/** These files and all that come with them; and what comes later, without the whole catalogue. */
function comesWith(/** @type {string[]} */ files) {
  const found = new Set();
  const add = (/** @type {string} */ file) => {
    if (found.has(file)) return;
    found.add(file);
    for (const other of imports(file, /(?:from|import)\s+'(\.[^']+)'/g)) add(other);
  };
  files.forEach(add);
  const fetchesAll = (/** @type {string} */ file) => /await (Promise\.all\(\[.*)?fetchLateWords\(/.test(readFileSync(join(root, file), 'utf8'));
  for (const file of [...found]) {
    if (fetchesAll(file)) continue;
    for (const later of imports(file, /import\('(\.[^']+)'\)/g)) if (!fetchesAll(later)) comesWith([later]).forEach((other) => found.add(other));
  }
  return found;
}

test('each page brings all the words that its scripts say', () => {
  const server = readFileSync(join(root, 'src/assets/page_words.rs'), 'utf8');
  const late = listed(server, 'const LATE');
  const own = new Map();
  let page = '';
  for (const word of listed(server, 'const OWN')) {
    if (['home', 'chat', 'offline'].includes(word)) own.set((page = word), []);
    else own.get(page).push(word);
  }
  assert.ok(late.length > 5 && [...own.values()].every((begins) => begins.length > 0));
  const entries = { index: 'home', chat: 'chat', offline: 'offline', error: 'error', privacy: 'privacy' };
  for (const [html, name] of Object.entries(entries)) {
    const markup = readFileSync(join(root, `assets/html/${html}.html`), 'utf8');
    assert.ok(markup.includes(own.has(name) ? `{{words.${name}}}` : '{{words}}'), html);
    const scripts = [...markup.matchAll(/type="module" src="\{\{base\}\}\/([^"]+)"/g)].map((match) => `assets/${match[1]}`);
    assert.ok(scripts.length > 0, html);
    const said = markup + textOf([...comesWith(scripts)].map((file) => ({ text: readFileSync(join(root, file), 'utf8') })));
    const left = [...late, ...[...own].filter(([owner]) => owner !== name).flatMap(([, begins]) => begins)];
    const used = keys.filter((key) => [`'${key}'`, `"${key}"`, `\`${key.slice(0, key.lastIndexOf('.') + 1)}\${`].some((form) => (form.length > 3 || key.includes('.')) && said.includes(form)));
    // Fetched with the rest when it is shown, or only asked for to see whether it is there.
    const looked = ['notices.title'];
    const missing = used.filter((key) => left.some((start) => key.startsWith(start)) && !looked.includes(key));
    assert.deepEqual(missing, [], `${html}.html does not bring them`);
    assert.ok(used.length > 10, html);
  }
});

test('pages bring no words of their own: the server writes them', () => {
  for (const { path, text: html } of sources('assets/html', /\.html$/)) {
    // The operator's own line may stand where ours would.
    for (const [, inside] of html.matchAll(/data-i18n="[^"]+"[^>]*>([^<]*)</g)) assert.match(inside, /^(\{\{site\.tagline\}\})?$/, path);
  }
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
  for (const language of languages) {
    for (const key of keys) {
      const asked = [...catalogues[language][key].matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const sentence = t(key, Object.fromEntries(asked.map((value) => [value, name])), language);
      assert.equal(sentence.split(`\u2068${name}\u2069`).length, asked.length + 1, `${key}: ${sentence}`);
      count += asked.length;
    }
  }
  assert.ok(count > 80);
  assert.equal(t('end.left', { name: 'Anna' }, 'en'), 'Anna left.');
  setLanguage('zh-TW');
  assert.equal(list(['عربي', 'Rust']), '\u2068عربي\u2069、Rust');
});

test('what is put into a sentence cannot leave its place', () => {
  assert.equal(isolate('\u2069\u202Eabc'), '\u2068\u202Eabc\u2069');
  assert.equal(isolate('\u2067abc'), '\u2068\u2067abc\u2069\u2069');
  assert.equal(isolate('\u2068عبد\u2069、a'), '\u2068\u2068عبد\u2069、a\u2069');
  for (const plain of ['Anna', '安靜的月亮', 'a, b', '1:24', '🙂', 'हिन्दी', '']) assert.equal(isolate(plain), plain);
  for (const turning of ['שלום', 'سلام', 'ދިވެހި', 'ߒߞߏ', '١٢', '\u{1E900}']) assert.notEqual(isolate(turning), turning);
});

test('a language whose words are not there is not spoken', () => {
  setLanguage('en');
  setLanguage('xx');
  assert.equal(t('mm.reply'), 'Reply');
});
