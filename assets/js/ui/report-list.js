// The sheet of what this browser reported: in which conversation, why, how far it is, and a way to take a report back. The list is
// the server's, the names are kept here. Loaded when it is opened, or when there is an outcome to tell.

import { el, setText } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { local } from '../lib/storage.js';
import { clock, dateText } from '../lib/time.js';
import { newlyDecided, stateKey } from '../model/report.js';
import { getReports, Refusal, withdrawReport } from '../net/http.js';
import { reportedNames } from './kept-names.js';
import { fetchLateWords } from './language.js';
import { openSheet } from './sheet.js';
import { withStyle } from './style.js';
import { toast } from './toast.js';

const nameIn = (room) => reportedNames().find((entry) => entry.room === room)?.name ?? null;

export async function openReports() {
  await Promise.all([withStyle('report'), withStyle('blocked-list'), fetchLateWords()]);
  const note = el('p', { class: 'sheet-note' }, t('blocked.loading'));
  const list = el('ul', { class: 'blocked-list' });
  const sheet = openSheet({ title: t('guide.reports'), body: [list, note], test: 'reports-sheet' });
  let rows = [];

  function show() {
    setText(note, t(rows.length > 0 ? 'reports.words' : 'reports.none'));
    list.replaceChildren(...rows.map(rowOf));
  }

  function rowOf(row) {
    const name = nameIn(row.room_id);
    const take = row.state === 'open' && el('button', { type: 'button', class: 'button-ghost', test: 'report-withdraw' }, t('reports.withdraw'));
    if (take) take.addEventListener('click', oneAtATime(() => withdraw(row)));
    return el(
      'li',
      { class: 'report-row' },
      el(
        'span',
        { class: 'blocked-words' },
        name === null ? el('span', { class: 'blocked-unnamed' }, t('blocked.unnamed')) : el('bdi', { class: 'blocked-name' }, name),
        el('span', { class: 'report-why' }, t(`report.${row.reason}`)),
        el('span', { class: 'blocked-when' }, `${t(stateKey(row))} · ${dateText(row.at_ms, language())} ${clock(row.at_ms)}`),
      ),
      take,
    );
  }

  async function withdraw(row) {
    try {
      await withdrawReport(row.report_id);
      row.state = 'withdrawn';
      toast(t('reports.done'));
    } catch (error) {
      const decided = error instanceof Refusal && error.code === 'already_decided';
      toast(t(decided ? 'reports.late' : 'app.failed'));
      if (decided) await read();
    }
    show();
    (list.querySelector('button') ?? sheet.dialog.querySelector('button')).focus();
  }

  async function read() {
    try {
      rows = await getReports();
      remember(rows);
      show();
    } catch {
      setText(note, t('app.failed'));
    }
  }

  read();
  return sheet.closed;
}

/** Tells once what became of reports that were decided since. */
export async function tellOutcomes() {
  const reports = await getReports().catch(() => null);
  // A list that cannot be had is no empty one: what was told would be forgotten, and told again.
  if (reports === null) return;
  const [latest] = newlyDecided(reports, local.get('outcomes', []));
  remember(reports);
  if (!latest) return;
  await fetchLateWords();
  const name = nameIn(latest.room_id) ?? t('blocked.unnamed');
  toast(t(latest.acted ? 'reports.toldActed' : 'reports.toldLooked', { name }));
}

/** Of these the outcome is known here; ids that the server lists no more are forgotten. */
function remember(reports) {
  local.set('outcomes', reports.flatMap(({ report_id: id, state }) => (state === 'decided' ? [id] : [])));
}
