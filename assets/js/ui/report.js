// The dialog that reports the other side of a conversation: why, perhaps some words, send. Loaded when it is
// opened. Nothing is lost when it cannot be sent: the dialog stays as it is.

import { el, setHidden, setText } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { noteChars, outcomeOf, reasons, reportOf } from '../model/report.js';
import { orBlank } from '../model/text.js';
import { postReport, Refusal } from '../net/http.js';
import { helpLinks } from './help-links.js';
import { rememberReported } from './kept-names.js';
import { fetchLateWords } from './language.js';
import { openSheet } from './sheet.js';
import { withStyle } from './style.js';
import { toast } from './toast.js';

/**
 * Resolves to `{ block }` when the report was taken, or null. `chosen`: the message that it is about.
 * @param {{ room: import('../model/room.js').Room, token?: string, chosen?: any, canBlock: boolean }} what
 */
export async function openReport({ room, token, chosen = null, canBlock }) {
  await Promise.all([withStyle('report'), fetchLateWords()]);
  const name = room.partner?.nickname ?? '';
  const note = el('textarea', { id: 'report-note', class: 'report-note', test: 'report-note', rows: 2, dir: 'auto', maxlength: noteChars, autocomplete: 'off' });
  const block = el('input', { type: 'checkbox', test: 'report-block' });
  const problem = el('p', { class: 'report-problem', role: 'alert', test: 'report-problem' });
  const send = el('button', { type: 'submit', form: 'report-form', class: 'button-primary', test: 'report-send', disabled: true }, t('report.send'));
  const cancel = el('button', { type: 'button', class: 'button-ghost', test: 'report-cancel' }, t('app.cancel'));
  const help = helpBox();
  const choices = reasons.map((reason) => choice(reason, help));
  const form = el(
    'form',
    { id: 'report-form', class: 'report-form' },
    chosen && el('blockquote', { class: 'report-chosen', dir: 'auto', test: 'report-chosen' }, chosenText(chosen)),
    el('fieldset', { class: 'report-reasons' }, el('legend', { class: 'report-legend' }, t('report.why')), ...choices),
    el('label', { class: 'report-label', for: 'report-note' }, t('report.note')),
    note,
    canBlock && el('label', { class: 'report-also' }, block, el('span', {}, t('report.block'))),
    el('p', { class: 'sheet-note' }, t('report.sends')),
    problem,
  );
  const sheet = openSheet({ title: t('report.title', { name }), body: [form], foot: [cancel, send], test: 'report-sheet', className: 'sheet-report' });
  const chosenReason = () => form.querySelector('input[type="radio"]:checked')?.value;
  cancel.addEventListener('click', () => sheet.close());
  form.addEventListener('change', () => {
    send.disabled = !chosenReason();
    setHidden(help, chosenReason() !== 'self_harm');
    if (!help.hidden) help.scrollIntoView({ block: 'nearest' });
  });
  const submit = oneAtATime(async () => {
    const reason = chosenReason();
    if (!reason) return;
    setText(problem, '');
    const { done, text } = outcomeOf(await answerTo(reportOf(room, { reason, note: note.value, chosen }), token));
    if (!done) {
      setText(problem, t(text));
      problem.scrollIntoView({ block: 'nearest' });
      return;
    }
    rememberReported(room.roomId, room.partner);
    sheet.close({ block: block.checked });
    toast(t(text));
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  form.querySelector('input').focus();
  return sheet.closed;
}

/** Null when the report was taken; else the code of the refusal, or of an outage. */
async function answerTo(report, token) {
  try {
    await postReport(report, token);
    return null;
  } catch (error) {
    return error instanceof Refusal ? error.code : 'outage';
  }
}

function choice(reason, help) {
  const input = el('input', { type: 'radio', name: 'reason', value: reason, test: `report-${reason}` });
  const row = el('label', { class: 'report-reason' }, input, el('span', {}, t(`report.${reason}`)));
  return reason === 'self_harm' ? el('div', {}, row, help) : row;
}

/** Before anything is sent: a person may need help now, and a report is read later. */
function helpBox() {
  return el('div', { class: 'report-help', role: 'status', test: 'report-help', hidden: true }, el('p', {}, t('report.help')), el('ul', { class: 'report-lines' }, ...helpLinks()));
}

const chosenText = ({ content }) => (content === null ? t('msg.recalledTheirs') : orBlank(content, t('msg.blank')));
