// The sheet with twenty lights, a 5×4 grid of radios.

import { avatarUrl, el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { avatarCount } from '../model/profile.js';
import { openSheet } from './sheet.js';

/** Resolves to the chosen avatar, or null. */
export function pickAvatar(current) {
  const cells = Array.from({ length: avatarCount }, (_, index) => cell(String(index + 1), current));
  const grid = el('div', { class: 'picker-grid', role: 'radiogroup', 'aria-label': t('picker.title') }, ...cells);
  const done = el('button', { type: 'button', class: 'button-primary', test: 'picker-done' }, t('app.done'));
  const sheet = openSheet({ title: t('picker.title'), body: [grid], foot: [done], test: 'picker', className: 'sheet-picker' });
  const chosen = () => grid.querySelector('input:checked')?.value ?? null;
  done.addEventListener('click', () => sheet.close(chosen()));
  // A tap is a decision; arrow keys only try, and Enter decides.
  grid.addEventListener('click', (event) => {
    if (event.detail > 0 && event.target.matches('input')) sheet.close(event.target.value);
  });
  grid.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') sheet.close(chosen());
  });
  (grid.querySelector('input:checked') ?? done).focus();
  return sheet.closed;
}

function cell(value, current) {
  const name = t(`avatar.${value}`);
  return el(
    'label',
    { class: 'picker-cell' },
    el('input', { type: 'radio', name: 'avatar', value, checked: value === current, test: `avatar-${value}`, 'aria-label': name }),
    el('img', { src: avatarUrl(value), alt: '', width: 56, height: 56, class: 'avatar' }),
    el('span', { class: 'picker-name', 'aria-hidden': 'true' }, name),
  );
}
