// What review of the pages would otherwise have to repeat. An exception is one line
// (`eslint-disable-next-line RULE -- reason`): without a reason, or for nothing, it fails.

import js from '@eslint/js';
import globals from 'globals';

const rules = {
  'array-callback-return': 'error',
  complexity: ['error', { max: 20 }],
  'default-case-last': 'error',
  eqeqeq: 'error',
  'max-depth': ['error', { max: 3 }],
  'max-lines': ['error', { max: 400 }],
  // A component is one function around its parts: the parts are short, and the whole is not endless.
  'max-lines-per-function': ['error', { max: 125, skipComments: true, skipBlankLines: true }],
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-loop-func': 'error',
  // Characters that combine are written as \u escapes, so that a reader sees them.
  'no-misleading-character-class': ['error', { allowEscape: true }],
  'no-new-func': 'error',
  'no-param-reassign': 'error',
  'no-script-url': 'error',
  'no-self-compare': 'error',
  'no-shadow': 'error',
  'no-throw-literal': 'error',
  'no-unreachable-loop': 'error',
  'no-unused-vars': ['error', { varsIgnorePattern: '^_$' }],
  'no-var': 'error',
  'prefer-const': 'error',
};

export default [
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: 'error' }, rules },
  { files: ['assets/js/**/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['assets/js/worker/**/*.js'], languageOptions: { globals: globals.serviceworker } },
  { files: ['assets/js/pages/early.js'], languageOptions: { sourceType: 'script' } },
  { files: ['tests/js/**/*.mjs', 'scripts/**/*.mjs'], languageOptions: { globals: { ...globals.browser, ...globals.node } } },
];
