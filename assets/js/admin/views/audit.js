// The audit log, newest first, and whether it is whole. For administrators.

import { el, setHidden, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { aboutOf } from '../model/audit.js';
import { get } from '../session.js';
import { attempt } from '../ui/alert.js';
import { button } from '../ui/fields.js';
import { moment } from '../ui/format.js';

/** One word of what it is about; one that the console does not know is shown as it was written. */
const word = (it) => (typeof it === 'string' ? it : known(it.key, it.values));
const known = (key, values) => {
  const words = t(key, values);
  return words === key ? key.split('.').at(-1) : words;
};

function rowNode(row, names) {
  const about = [row.case && t('op.case.no', { n: row.case }), row.sanction && t('op.sanction.no', { n: row.sanction }), ...aboutOf(row.details, names).map(word)].filter(Boolean);
  return el('li', { class: 'op-row op-audit-row', test: 'audit-row' }, el('span', { class: 'op-audit-no numbers' }, String(row.no)), el('p', { class: 'op-row-main' }, el('strong', {}, known(`op.act.${row.act}`)), about.length > 0 && el('bdi', {}, ` · ${about.join(' · ')}`)), el('p', { class: 'op-meta' }, `${moment(row.at_ms)} · `, el('bdi', {}, row.name ?? t(row.act === 'automatic' ? 'op.automaticStep' : 'op.machine'))));
}

export async function mountAudit(place) {
  const list = el('ol', { class: 'op-rows op-list', test: 'audit' });
  const state = el('p', { class: 'op-meta', role: 'status', test: 'audit-state' });
  const older = button('op.audit.older', () => attempt(load), { test: 'audit-older' });
  const check = button('op.audit.verify', () => attempt(verify), { test: 'audit-verify' });
  place.append(el('header', { class: 'op-head' }, el('h1', { class: 'op-title' }, t('op.nav.audit')), check), el('p', { class: 'op-lead' }, t('op.audit.lead')), state, list, older);
  const { operators } = await get('operators/');
  const names = new Map(operators.map(({ id, name }) => [id, name]));
  let before = null;

  async function load() {
    const { rows, head } = await get(`audit/${before === null ? '' : `?before=${before}`}`);
    if (before === null) setText(state, t('op.audit.head', { n: head.no, hash: String(head.hash).slice(0, 16) }));
    list.append(...rows.map((row) => rowNode(row, names)));
    before = rows.at(-1)?.no ?? before;
    setHidden(older, rows.length === 0 || rows.at(-1).no <= 1);
  }

  async function verify() {
    setText(state, t('op.audit.checking'));
    const { intact, rows, broken_at: at } = await get('audit/verify/');
    setText(state, intact ? t('op.audit.intact', { n: rows }) : t('op.audit.broken', { n: at ?? rows }));
    state.className = intact ? 'op-good' : 'op-warning';
  }

  await load();
  return {};
}
