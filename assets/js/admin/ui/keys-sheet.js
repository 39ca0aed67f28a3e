// The keys of a view, and what they do.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { openSheet } from '../../ui/sheet.js';
import { keysOf } from '../model/keys.js';

/** @param {string} view */
export function openKeys(view) {
  const templates = keysOf(view).filter(([, command]) => command.startsWith('template-'));
  const others = keysOf(view).filter(([, command]) => !command.startsWith('template-'));
  const all = [...(templates.length > 0 ? [['1 – 7', 'template']] : []), ...others];
  if (view === 'case') all.push(['Ctrl Enter', 'decideTyping'], ['Esc', 'leaveField']);
  const rows = all.map(([key, command]) => el('div', { class: 'op-key-row' }, el('dt', {}, el('kbd', { class: 'op-kbd' }, key)), el('dd', {}, t(`op.key.${command}`))));
  openSheet({ title: t('op.keys'), body: [el('dl', { class: 'op-keys' }, ...rows)], test: 'keys-sheet' });
}
