// What a press on the switch "call me when someone comes" does. Switching on says first what the browser's vendor
// learns; where it cannot be, it says why. Loaded when the switch is pressed.

import { isOn, leaveWords, obstacle, subscribe, unsubscribe, wanted } from '../lib/call-me.js';
import { el } from '../lib/dom.js';
import { duration, t } from '../lib/i18n.js';
import { fetchLateWords } from './language.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

/** Resolves when it is on, off, or explained; `onChange(subscription)` as of the switch. */
export async function pressed({ site, onChange }) {
  const hindered = obstacle(site.push);
  if (!hindered && isOn(site.push)) {
    onChange(null);
    await unsubscribe().catch(() => {});
    return;
  }
  await fetchLateWords();
  if (hindered) await explain(t(`call.${hindered}`));
  else if (await ask(site)) await switchOn(site, onChange);
}

async function switchOn(site, onChange) {
  if ((await Notification.requestPermission()) !== 'granted') {
    toast(t('call.refused'));
    return;
  }
  try {
    const subscription = await subscribe(site.push);
    wanted.set(true);
    await leaveWords(site.name);
    onChange(subscription);
  } catch {
    toast(t('call.failed'));
  }
}

async function ask(site) {
  const yes = el('button', { type: 'button', class: 'button-primary', test: 'call-yes' }, t('call.yes'));
  const no = el('button', { type: 'button', class: 'button-ghost', test: 'call-no' }, t('app.cancel'));
  const body = [el('p', {}, t('call.what', { t: duration(site.push.call_for_ms) })), el('p', {}, t('call.vendor'))];
  const sheet = openSheet({ title: t('call.title'), body, foot: [no, yes], test: 'call-sheet', className: 'sheet-ask' });
  yes.addEventListener('click', () => sheet.close(true));
  no.addEventListener('click', () => sheet.close());
  return (await sheet.closed) === true;
}

function explain(why) {
  const done = el('button', { type: 'button', class: 'button-ghost', test: 'call-done' }, t('app.done'));
  const sheet = openSheet({ title: t('call.title'), body: [el('p', {}, why)], foot: [done], test: 'call-sheet', className: 'sheet-ask' });
  done.addEventListener('click', () => sheet.close());
  done.focus();
  return sheet.closed;
}
