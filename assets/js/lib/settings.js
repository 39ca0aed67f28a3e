// What this browser remembers about its person: theme, sound, marks. Kept in
// localStorage only; the server never sees any of it.

import { local } from './storage.js';

export const themes = ['auto', 'light', 'dark'];

export function theme() {
  const stored = local.get('theme', 'auto');
  return themes.includes(stored) ? stored : 'auto';
}

export function setTheme(next) {
  local.set('theme', next);
  if (next === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  paintBrowserBar();
}

/** The browser's own bar follows a chosen theme, not only the system's. */
export function paintBrowserBar() {
  const chosen = theme();
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    meta.dataset.own ??= meta.content;
    const twin = document.querySelector(`meta[name="theme-color"][media*="${chosen}"]`);
    meta.content = twin?.dataset.own ?? twin?.content ?? meta.dataset.own;
  }
}

/** A setting that is on or off. */
export const flag = (key, fallback) => ({
  get: () => Boolean(local.get(key, fallback)),
  set: (value) => local.set(key, Boolean(value)),
});

export const sound = flag('sound', false);
export const notifications = flag('notify', false);
export const readReceipts = flag('readMarks', true);
