// Handing the site's address on: to a messenger, to the clipboard, or as a code
// for a phone that is held to the screen.

import { copyText } from '../lib/clipboard.js';
import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

/** @param {{ address: string | null }} site */
export const addressOf = (site) => site.address ?? location.origin;

/** Whether this browser has a sheet of its own to share a link with. */
export const canShare = () => typeof navigator.share === 'function';

/** Shares the address, or else copies it. `button` is what was pressed. */
export async function handOn(button, site) {
  const url = addressOf(site);
  if (canShare()) {
    try {
      await navigator.share({ title: site.name, url });
      return;
    } catch (error) {
      // The person closed the sheet.
      if (error?.name === 'AbortError') return;
    }
  }
  if (await copyText(url)) toast(t('match.copied'));
  else showForHand(button, url);
}

/** Neither way is allowed: the address stands there, selected. */
function showForHand(button, url) {
  const field = el('input', { class: 'option-address', readonly: true, value: url, 'aria-label': t('match.copyByHand') });
  button.replaceWith(field);
  field.focus();
  field.select();
}

/** The code as large as the screen allows, with the address in words below. */
export function openCodeSheet(site) {
  const go = el('button', { type: 'button', class: 'button-ghost', test: 'code-share' }, t(canShare() ? 'match.share' : 'match.invite'));
  const body = [
    el('img', { class: 'code', src: '/invitation.svg', alt: t('scan.alt'), width: 300, height: 300 }),
    el('p', { class: 'code-address', translate: 'no' }, addressOf(site)),
    el('p', { class: 'sheet-note code-note' }, t('scan.how')),
  ];
  openSheet({ title: t('match.scan'), body, foot: [go], test: 'code-sheet', className: 'sheet-code' });
  go.addEventListener('click', () => handOn(go, site));
}
