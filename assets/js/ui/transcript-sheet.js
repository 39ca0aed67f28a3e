// Saving a conversation: says first that the other one can do the same, then hands
// the browser a text file that was made here.

import { el } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { now } from '../lib/time.js';
import { fileName, transcript } from '../model/transcript.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

/** `core` is the running room. */
export async function saveTranscript(core) {
  if (!(await askTranscript())) return;
  const [moment, site] = [now(), core.getSite().name];
  saveText(fileName(site, moment), transcript(core.getState(), { me: core.myName(), site, language: language(), now: moment }));
  toast(t('transcript.done'));
}

/** Resolves to true when the person wants the file. */
async function askTranscript() {
  const yes = el('button', { type: 'button', class: 'button-primary', test: 'transcript-save' }, t('transcript.save'));
  const no = el('button', { type: 'button', class: 'button-ghost', test: 'transcript-cancel' }, t('app.cancel'));
  const body = [el('p', {}, t('transcript.what')), el('p', {}, t('transcript.both'))];
  const sheet = openSheet({ title: t('transcript.title'), body, foot: [no, yes], test: 'transcript-sheet', className: 'sheet-ask' });
  yes.addEventListener('click', () => sheet.close(true));
  no.addEventListener('click', () => sheet.close());
  return (await sheet.closed) === true;
}

/** @param {string} name @param {string} text */
function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = el('a', { href: url, download: name, class: 'offscreen', tabindex: '-1' });
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers begin to read it a moment later.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
