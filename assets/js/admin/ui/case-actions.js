// What else can be done with a case: at the thumb what is done with most, the rest
// beside the decision.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { toast } from '../../ui/toast.js';
import { exportAddress } from '../api.js';
import { isAdministrator, post, put } from '../session.js';
import { askSheet } from './ask.js';
import { button } from './fields.js';

/** @param {any} file @param {any} context */
export function mountActions({ case: row, may }, { app, step, after, reload, next, decide }) {
  const path = (act) => `cases/${row.id}/${act}/`;
  const can = (act) => may.includes(act);
  const judges = can('decide') || can('appeal');

  const closing = (act) => step(async () => {
    await post(path(act));
    toast(t(`op.done.${act}`, { n: row.id }));
    await after(null);
  });

  async function escalate() {
    if (!can('escalate')) return;
    const answer = await askSheet({ title: t('op.escalate.title'), text: t('op.escalate.text'), go: 'op.escalate.go' });
    if (answer !== null) await closing('escalate');
  }

  async function skip() {
    const answer = await askSheet({ title: t('op.skip.title'), text: t('op.skip.text'), go: 'op.skip.go' });
    if (answer !== null) await closing('skip');
  }

  async function hold() {
    const options = [['half_year', t('op.hold.half_year')], ['year', t('op.hold.year')], ...(row.held_until_ms ? [['none', t('op.hold.none')]] : [])];
    const answer = await askSheet({ title: t('op.hold.title'), text: t('op.hold.text'), options, go: 'op.hold.go' });
    if (answer === null) return;
    await step(async () => {
      await put(path('hold'), { hold: answer === 'none' ? null : answer });
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

  const more = el('section', { class: 'op-more', test: 'more' },
    el('h2', { class: 'op-subtitle' }, t('op.more')),
    el('div', { class: 'op-buttons' },
      can('escalate') && button('op.escalate.open', escalate, { test: 'escalate' }),
      can('skip') && button('op.skip.open', skip, { test: 'skip' }),
      row.claim?.mine && button('op.release', release, { test: 'release' }),
      can('reopen') && button('op.reopen', again, { test: 'reopen' }),
      can('hold') && button('op.hold.open', hold, { test: 'hold' }),
      isAdministrator() && el('a', { class: 'button-ghost', href: exportAddress(row.id), download: `case-${row.id}.json`, test: 'export' }, t('op.export'))));
  const bar = el('div', { class: 'op-bar', test: 'bar' },
    judges && button('op.decide.open', decide, { kind: 'primary', test: 'decide-open' }),
    judges ? button('op.next', next, { test: 'next' }) : button('op.queue.next', next, { kind: 'primary', test: 'next' }),
    can('escalate') && button('op.escalate.open', escalate, { test: 'escalate-short' }));
  return { more, bar, escalate };
}
