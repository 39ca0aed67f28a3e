// What else can be done with a case: at the thumb what is done with most, the rest
// beside the decision.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { now } from '../../lib/time.js';
import { toast } from '../../ui/toast.js';
import { exportAddress } from '../api.js';
import { isAdministrator, post, put } from '../session.js';
import { askSheet } from './ask.js';
import { area, button } from './fields.js';
import { moment } from './format.js';

const day = 86_400_000;

/**
 * @param {any} file @param {any} context `form`: where a note may have been written already
 */
export function mountActions({ case: row, may }, { app, step, after, reload, next, form, seen, seenReports }) {
  const path = (act) => `cases/${row.id}/${act}/`;
  const can = (act) => may.includes(act);
  const judges = can('decide') || can('appeal');

  /** A question with room for a note: what was written in the form stands there already. */
  const askWithNote = (asked) => askSheet({ ...asked, control: area(form.note(), { test: 'ask-note' }), label: 'op.note', hint: t('op.noteHint') });

  const closing = (act, note) => step(async () => {
    await seen(() => post(path(act), { note, ...seenReports }), form.draft());
    form.noteSent();
    toast(t(`op.done.${act}`, { n: row.id }));
    await after(null);
  });

  async function escalate() {
    if (!can('escalate')) return;
    const answer = await askWithNote({ title: t('op.escalate.title'), text: t('op.escalate.text'), go: 'op.escalate.go' });
    if (answer !== null) await closing('escalate', answer.words.trim());
  }

  async function skip() {
    const answer = await askWithNote({ title: t('op.skip.title'), text: t('op.skip.text'), go: 'op.skip.go' });
    if (answer !== null) await closing('skip', answer.words.trim());
  }

  async function hold() {
    const until = (key, days) => [key, t('op.hold.until', { length: t(`op.hold.${key}`), t: moment(now() + days * day) })];
    const options = [until('half_year', 180), until('year', 365), ...(can('end_hold') ? [['none', t('op.hold.none')]] : [])];
    const answer = await askWithNote({ title: t('op.hold.title'), text: t('op.hold.text'), options, go: 'op.hold.go' });
    if (answer === null) return;
    await step(async () => {
      await put(path('hold'), { hold: answer.chosen === 'none' ? null : answer.chosen, note: answer.words.trim() });
      form.noteSent();
      toast(t('op.done.hold'));
      await reload();
    });
  }

  const again = () => step(async () => {
    await post(path('reopen'));
    toast(t('op.done.reopen', { n: row.id }));
    await reload();
  });

  const release = () => step(async () => {
    await post(path('release'));
    app.go({ view: 'queue' });
  });

  const buttons = [
    can('escalate') && button('op.escalate.open', escalate, { test: 'escalate', class: 'button-ghost op-wide-only' }),
    can('skip') && button('op.skip.open', skip, { test: 'skip' }),
    row.claim?.mine && button('op.release', release, { test: 'release' }),
    can('reopen') && button('op.reopen', again, { test: 'reopen' }),
    can('hold') && button('op.hold.open', hold, { test: 'hold' }),
    isAdministrator() && el('a', { class: 'button-ghost', href: exportAddress(row.id), download: `case-${row.id}.json`, test: 'export' }, t('op.export')),
  ].filter(Boolean);
  const more = buttons.length > 0 && el('section', { class: 'op-more', test: 'more' }, el('h2', { class: 'op-subtitle' }, t('op.more')), el('div', { class: 'op-buttons' }, ...buttons));
  const bar = el('div', { class: 'op-bar', test: 'bar' },
    judges && button('op.decide.open', () => form.open(), { kind: 'primary', test: 'decide-open' }),
    judges ? button('op.next', next, { test: 'next' }) : button('op.queue.next', next, { kind: 'primary', test: 'next' }),
    can('escalate') && button('op.escalate.open', escalate, { test: 'escalate-short' }));
  return { more, bar, escalate };
}
