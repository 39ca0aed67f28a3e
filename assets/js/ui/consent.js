// The one question before the first search: age and rules. Asked once a browser.

import { el, setHidden } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { keptFor, privacyLink } from './privacy.js';
import { openRules } from './rules.js';
import { openSheet } from './sheet.js';

/** Resolves to true when the person agreed. */
export async function askConsent(site) {
  const box = el('input', { type: 'checkbox', id: 'consent-box', test: 'consent' });
  const need = el('p', { class: 'field-error', id: 'consent-need', role: 'alert', hidden: true }, t('consent.need'));
  const link = el('button', { type: 'button', class: 'button-link', test: 'consent-rules' }, t('consent.read'));
  link.addEventListener('click', () => openRules(site));
  const sentence = el('label', { class: 'consent-line' }, box, el('span', {}, t('consent.check', { age: site.minimum_age, rules: t('consent.rules') })));
  const agree = el('button', { type: 'button', class: 'button-primary', test: 'consent-agree' }, t('consent.agree'));
  const sheet = openSheet({
    title: t('consent.title'),
    body: [el('p', {}, t('consent.body')), el('p', {}, t('consent.kept', { t: keptFor(site) }), ' ', privacyLink(t('home.seen'))), sentence, el('p', {}, link), need],
    foot: [agree],
    test: 'consent-sheet',
    className: 'sheet-consent',
  });
  agree.addEventListener('click', () => {
    if (box.checked) {
      sheet.close(true);
      return;
    }
    setHidden(need, false);
    box.setAttribute('aria-describedby', need.id);
    box.focus();
  });
  box.addEventListener('change', () => setHidden(need, true));
  box.focus();
  return (await sheet.closed) === true;
}
