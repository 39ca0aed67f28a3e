// The second factor: a picture for the phone, its first code, and then the recovery codes,
// which are shown once.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { copyText } from '../../lib/clipboard.js';
import { openSheet } from '../../ui/sheet.js';
import { toast } from '../../ui/toast.js';
import { post, put } from '../session.js';
import { attempt, wordsFor } from './alert.js';
import { askSheet } from './ask.js';
import { button, field, form, input, wrongLine } from './fields.js';

/** The server's picture, as a picture: it is not put into the page. @param {string} svg */
const picture = (svg) => el('img', { class: 'op-qr', src: `data:image/svg+xml,${encodeURIComponent(svg)}`, alt: t('op.totp.picture'), width: 208, height: 208 });

function showCodes(codes) {
  const list = el('ul', { class: 'op-codes', test: 'recovery-codes', translate: 'no' }, ...codes.map((code) => el('li', {}, code)));
  const take = button('op.totp.copy', async () => toast(t((await copyText(codes.join('\n'))) ? 'op.totp.copied' : 'op.totp.notCopied')), { test: 'codes-copy' });
  const sheet = openSheet({ title: t('op.totp.codes'), body: [el('p', { class: 'sheet-note' }, t('op.totp.codesText')), list], foot: [take, button('op.totp.kept', () => sheet.close(), { kind: 'primary', test: 'codes-done' })], test: 'codes-sheet' });
  return sheet.closed;
}

/** To one who has none yet. @param {() => Promise<void>} onDone */
export async function offerTotp(onDone) {
  const answer = await askSheet({ title: t('op.totp.title'), text: t('op.totp.why'), go: 'op.totp.begin' });
  if (answer !== null) await attempt(() => openTotp(onDone));
}

/** @param {() => Promise<void>} onDone */
export async function openTotp(onDone) {
  const { secret, svg } = await post('totp/');
  const code = input({ inputmode: 'numeric', autocomplete: 'one-time-code', test: 'totp-code', class: 'op-code' });
  const password = input({ type: 'password', autocomplete: 'current-password', test: 'totp-password' });
  const wrong = wrongLine('totp-wrong');
  const submit = oneAtATime(async () => {
    wrong.quiet();
    try {
      const { recovery_codes: codes } = await put('totp/', { secret, code: code.value.replaceAll(' ', ''), password: password.value });
      sheet.close();
      await showCodes(codes);
      await onDone();
    } catch (error) {
      wrong.say(wordsFor(error));
    }
  });
  const spelled = el('p', { class: 'op-secret', translate: 'no', test: 'totp-secret' }, secret.replace(/(.{4})(?=.)/g, '$1 '));
  const inside = form({ class: 'op-form' }, submit, el('p', { class: 'sheet-note' }, t('op.totp.scan')), picture(svg), spelled, field('op.totp.first', code), field('op.login.password', password), wrong.node, el('button', { type: 'submit', class: 'button-primary', test: 'totp-go' }, t('op.totp.go')));
  const sheet = openSheet({ title: t('op.totp.title'), body: [inside], test: 'totp-sheet' });
  code.focus();
}
