// A stylesheet that a page does not bring: of something that is opened seldom.

import { el } from '../lib/dom.js';

const loaded = new Map();

/** Resolves when it is there, or will not be: plain is better than not at all. @param {string} name */
export function withStyle(name) {
  if (!loaded.has(name)) {
    const link = el('link', { rel: 'stylesheet', href: new URL(`../../css/${name}.css`, import.meta.url).href });
    loaded.set(name, new Promise((resolve) => ['load', 'error'].forEach((event) => link.addEventListener(event, resolve))));
    document.head.append(link);
  }
  return loaded.get(name);
}
