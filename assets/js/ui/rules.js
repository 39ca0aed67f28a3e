// The house rules: the operator's own text when there is one, else ours.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { openSheet } from './sheet.js';

export function openRules(site) {
  const body = site.rules ? paragraphs(site.rules) : [ownRules(site)];
  if (site.contact) body.push(el('p', { class: 'sheet-note' }, t('rules.contact', { contact: site.contact })));
  return openSheet({ title: t('rules.title'), body, test: 'rules' }).closed;
}

const paragraphs = (text) =>
  text
    .split(/\n\s*\n/)
    .filter((part) => part.trim())
    .map((part) => el('p', { class: 'sheet-lines', dir: 'auto' }, part.trim()));

function ownRules(site) {
  const keys = ['rules.2', 'rules.3', 'rules.4', 'rules.5'];
  if (site.minimum_age > 0) keys.unshift('rules.1');
  return el('ul', { class: 'sheet-list' }, ...keys.map((key) => el('li', {}, t(key, { age: site.minimum_age }))));
}
