// The queue in the order of work, with the site's figures above it; and the cases that
// were closed last, which are the same list.

import { el, setAttr, setHidden, setText } from '../../lib/dom.js';
import { duration, t } from '../../lib/i18n.js';
import { appeared } from '../../lib/press.js';
import { now } from '../../lib/time.js';
import { toast } from '../../ui/toast.js';
import { moved } from '../model/order.js';
import { get, isAdministrator, post } from '../session.js';
import { attempt } from '../ui/alert.js';
import { isThere } from '../ui/activity.js';
import { forgetAside } from '../ui/aside.js';
import { button } from '../ui/fields.js';
import { ago, left, moment, reasonName } from '../ui/format.js';
import { openByHand } from '../ui/by-hand.js';

const rhythm = 15_000;
const most = 100; // so many the server lists
const figures = ['online', 'waiting', 'rooms', 'cases_open', 'oldest_open_ms', 'appeals_open', 'sanctions_in_force', 'automatic_today'];

/** Who has it, should that be another. @param {any} row */
function claimWords({ claim }) {
  if (!claim || claim.until_ms <= now()) return null;
  return claim.mine ? t('op.claim.mine') : t('op.claim.theirs', { name: claim.name });
}

/** @param {any} row */
export function factsOf(row) {
  const facts = [row.kind === 'appeal' ? t('op.case.appeal') : row.kind === 'by_hand' && t('op.case.byHand')];
  if (row.kind !== 'appeal') facts.push(t('op.case.reports', { n: row.reports }));
  facts.push(row.closed_at_ms ? t('op.case.closedAt', { t: moment(row.closed_at_ms) }) : ago(row.opened_at_ms));
  if (row.strikes > 0) facts.push(t('op.case.strikes', { n: row.strikes }));
  if (row.reopened) facts.push(t('op.case.reopened'));
  if (row.held_until_ms > now()) facts.push(t('op.case.held', { t: left(row.held_until_ms) }));
  return facts.filter(Boolean);
}

/** How serious it is, as a shape beside the word. @param {string} reason */
export const reasonChip = (reason) => el('span', { class: `op-reason is-${reason}` }, reasonName(reason));

function caseRow(row) {
  const claim = claimWords(row);
  const state = row.state === 'open' ? null : t(`op.state.${row.state}`);
  const link = el('a', { class: 'op-case-link', href: `#/case/${row.id}` }, reasonChip(row.reason), el('span', { class: 'op-case-no' }, t('op.case.no', { n: row.id })));
  return el('li', { class: `op-row op-case-row${claim && !row.claim.mine ? ' is-taken' : ''}`, test: 'case-row' },
    el('p', { class: 'op-row-main' }, link, state && el('span', { class: 'op-state' }, state), claim && el('span', { class: 'op-state is-claim' }, claim)),
    el('p', { class: 'op-meta' }, factsOf(row).join(' · ')));
}

/** The site's figures, asked for again and again while they are seen. */
function mountFigures(place) {
  const strip = el('dl', { class: 'op-figures', test: 'figures' });
  place.append(strip);
  const values = new Map();
  async function refresh() {
    const live = await get('live/');
    for (const name of figures) {
      if (!values.has(name)) {
        values.set(name, el('dd', { class: 'numbers' }));
        strip.append(el('div', { class: 'op-figure' }, values.get(name), el('dt', {}, t(`op.live.${name}`))));
      }
      const lasts = name.endsWith('_ms');
      setHidden(values.get(name).parentElement, lasts && live[name] === undefined);
      setText(values.get(name), lasts ? duration(live[name]) : String(live[name] ?? 0));
    }
  }
  return refresh;
}

export async function mountQueue(place, { view }, app) {
  const closed = view === 'closed';
  const rows = el('ul', { class: 'op-rows op-list', test: 'queue' });
  const empty = el('p', { class: 'op-empty', test: 'queue-empty', hidden: true });
  const more = el('p', { class: 'op-meta', test: 'queue-more', hidden: true }, t('op.queue.more', { n: most }));
  const heading = el('h1', { class: 'op-title', tabindex: '-1' }, t(`op.nav.${view}`));
  const next = button('op.queue.next', takeNext, { kind: 'primary', test: 'next-case' });
  place.append(el('header', { class: 'op-head' }, heading, !closed && isAdministrator() && button('op.byHand.open', () => openByHand(app), { kind: 'text', test: 'by-hand' })));
  const refreshFigures = closed ? null : mountFigures(place);
  const foot = el('div', { class: 'op-foot' }, next);
  place.append(rows, more, empty, ...(closed ? [] : [foot]));
  let cases = [];
  let selected = null; // the number of the case that j and k came to: its place may change
  let timer = null;

  const placeOf = (number) => cases.findIndex(({ id }) => id === number);

  function mark() {
    cases.forEach(({ id }, index) => setAttr(rows.children[index], 'data-selected', id === selected ? '' : null));
  }

  function select(step) {
    selected = cases[moved(placeOf(selected), step, cases.length)]?.id ?? null;
    mark();
    rows.children[placeOf(selected)]?.querySelector('a').focus();
  }

  /** The rows as they are now. A press that is under way stays with what it began on: what is the same is left where it is. */
  function paintRows(before) {
    const made = cases.map((row, index) => {
      const node = caseRow(row);
      const there = rows.children[index];
      if (row.id === before[index]?.id) return there.isEqualNode(node) ? there : node;
      // Another case has come below the finger.
      if (before.length > 0) appeared(node, true);
      return node;
    });
    if (made.length === rows.children.length && made.every((node, index) => node === rows.children[index])) return;
    const focused = rows.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    rows.replaceChildren(...made);
    if (focused) rows.querySelector(`[href="${focused}"]`)?.focus({ preventScroll: true });
  }

  function paint(before) {
    cases.forEach((_, index) => rows.children[index] && setAttr(rows.children[index], 'data-selected', null));
    paintRows(before);
    mark();
    empty.hidden = cases.length > 0;
    setText(empty, t(closed ? 'op.closed.empty' : 'op.queue.empty'));
    foot.hidden = cases.length === 0;
  }

  async function refresh() {
    const [answer] = await Promise.all([get(closed ? 'queue/?state=closed' : 'queue/'), refreshFigures?.().catch(() => {})]);
    const before = cases;
    cases = answer.cases;
    more.hidden = closed || answer.total <= cases.length;
    paint(before);
  }

  async function takeNext() {
    await attempt(async () => {
      const { case: file } = await post('queue/next/');
      if (file) app.go({ view: 'case', id: file.case.id }, file);
      else {
        await refresh();
        if (cases.length > 0) toast(t('op.queue.rest'));
      }
    });
  }

  function openSelected() {
    const number = selected;
    selected = null;
    if (placeOf(number) >= 0) app.go({ view: 'case', id: number });
    else toast(t('op.queue.gone', { n: number }));
  }

  await refresh();
  forgetAside();
  // A fault of one round is told by the next press, not by a list that is a little old.
  timer = setInterval(() => isThere() && refresh().catch(() => {}), rhythm);
  return {
    leave: () => clearInterval(timer),
    command(command) {
      if (command === 'down' || command === 'up') select(command === 'down' ? 1 : -1);
      else if (command === 'next' && !closed) takeNext();
      else if (command === 'open' && selected !== null) openSelected();
      else if (command === 'open' && !closed) takeNext();
      else return false;
      return true;
    },
  };
}
