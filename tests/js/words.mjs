// The pages' texts, for tests without a page: all languages, not only one.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addWords } from '../../assets/js/lib/i18n.js';
import { root } from './sources.mjs';

const read = (/** @type {string} */ name) => JSON.parse(readFileSync(join(root, 'assets', name), 'utf8'));

export const languages = readdirSync(join(root, 'assets/words')).map((name) => name.replace(/\.json$/, ''));
export const catalogues = Object.fromEntries(languages.map((language) => [language, read(`words/${language}.json`)]));
export const starters = Object.fromEntries(languages.map((language) => [language, read(`starters/${language}.json`)]));

for (const language of languages) addWords(language, catalogues[language]);
