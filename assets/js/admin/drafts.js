// What is written and not sent yet, kept in the tab: it outlives a reload and a session
// that ended, and goes with the log-out.

import { tab } from '../lib/storage.js';

const key = 'console.drafts';
const all = () => tab.get(key, {}) ?? {};

/** @param {string} name */
export const draftOf = (name) => all()[name] ?? null;

/** @param {string} name @param {unknown} value null: nothing */
export function keepDraft(name, value) {
  const drafts = all();
  if (value === null) delete drafts[name];
  else drafts[name] = value;
  tab.set(key, drafts);
}

export const forgetDrafts = () => tab.remove(key);
