// What was said in the rooms that were reported: the reported messages marked, claims
// told as what they are, damage told, and covered where the case has it.

import { el, setHidden, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { clock } from '../../lib/time.js';
import { isCovered } from '../model/covering.js';
import { get } from '../session.js';
import { attempt } from './alert.js';
import { button } from './fields.js';
import { moment } from './format.js';
import { said, saidOrCovered } from './said.js';

/** In words what is remarkable about an entry. */
function flagsOf({ reported, recalled, claim }) {
  const flags = [reported && ['is-reported', 'op.entry.reported']];
  if (claim?.verified) flags.push(['is-proved', recalled ? 'op.entry.proved' : 'op.claim.proved']);
  else if (recalled && !claim) flags.push(['', 'op.entry.recalled']);
  return flags.filter(Boolean).map(([name, key]) => el('span', { class: `op-flag ${name}` }, t(key)));
}

function sideName(room, side) {
  const whose = side === room.subject ? t('op.side.subject') : t('op.side.other');
  return el('span', { class: 'op-entry-who' }, el('strong', {}, whose), ' ', said(room.sides[side]?.name ?? ''));
}

const pictures = { heart: '❤', laugh: '😂', wow: '😮', sad: '😢', ok: '👍' };

/** What else happened than a message. */
function eventNode(room, entry, name) {
  const { kind, side } = entry;
  const words = kind === 'reaction' ? t(entry.reaction ? 'op.entry.reaction' : 'op.entry.reactionGone', { reaction: pictures[entry.reaction] ?? '' }) : t(`op.entry.${kind}`);
  return el('li', { class: `${name} is-event`, tabindex: '-1', test: 'entry' }, el('p', { class: 'op-meta' }, sideName(room, side), ` · ${words.startsWith('op.') ? kind : words} · ${clock(entry.at_ms)}`));
}

/** What it answers, as far as it is kept and not covered itself. */
function quoteOf(room, entry, hides) {
  const quoted = room.entries.find((it) => it.seq === entry.reply_to);
  const shown = quoted ? !hides(quoted.seq) && quoted.content : entry.quote?.content;
  return shown && el('p', { class: 'op-quote' }, said(shown));
}

/** One message, or what else happened. */
function entryNode(room, entry, before, reading) {
  const { seq, side, kind } = entry;
  const mine = `op-entry ${side === room.subject ? 'is-subject' : 'is-other'}${entry.reported ? ' is-reported' : ''}`;
  if (kind !== 'message') return eventNode(room, entry, mine);
  const content = entry.content ?? entry.claim?.content ?? null;
  const key = `${room.room}/${seq}`;
  const isSameSide = before?.kind === 'message' && before.side === side && entry.at_ms - before.at_ms < 120_000;
  const hidesThat = (other) => isCovered(reading.covers, reading.isShown(), `${room.room}/${other}`);
  const hides = hidesThat(seq);
  const unproved = entry.content === null && entry.claim && !entry.claim.verified;
  return el('li', { class: mine, tabindex: '-1', test: 'entry', 'data-seq': seq },
    !isSameSide && el('p', { class: 'op-meta op-entry-head' }, sideName(room, side), ` · ${clock(entry.at_ms)}`),
    !hides && quoteOf(room, entry, hidesThat),
    unproved && el('p', { class: 'op-flag is-unproved' }, t('op.entry.unproved')),
    content === null ? el('p', { class: 'op-lost' }, t(entry.recalled ? 'op.entry.recalledText' : 'op.entry.lost')) : el('p', { class: unproved ? 'op-text op-claimed-text' : 'op-text' }, saidOrCovered(content, hides, () => reading.onUncover(key))),
    ...flagsOf(entry));
}

/** Who a side said to be. */
function personaOf(room, side) {
  const { name, ...rest } = room.sides[side] ?? {};
  // "Other" says nothing here, and looks like a remark of ours.
  const facts = ['gender', 'mood'].filter((key) => typeof rest[key] === 'string' && rest[key] !== 'other').map((key) => t(`op.${key}.${rest[key]}`)).filter((words) => !words.startsWith('op.'));
  return el('span', {}, said(name ?? ''), facts.length > 0 && ` (${facts.join(' · ')})`);
}

/** So many entries are seen at once, more or less: what was reported behind them has a way to it. */
const few = 5;

/** @param {any} room @param {number} number @param {number} total @param {(at: number) => void} onJump to the entry of this place in the room */
function roomHead(room, number, total, onJump) {
  const first = room.entries?.findIndex(({ reported }) => reported) ?? -1;
  return el('header', { class: 'op-room-head' },
    el('h2', { class: 'op-subtitle' }, total > 1 ? t('op.room.of', { n: number, total }) : t('op.room.title')),
    room.entries && el('p', { class: 'op-meta' }, moment(room.opened_at_ms ?? room.at_ms), ' · ', t('op.side.subject'), ' ', personaOf(room, room.subject), ' · ', t('op.side.other'), ' ', personaOf(room, room.subject === 'a' ? 'b' : 'a')),
    first >= few && button('op.room.toReported', () => onJump(first), { kind: 'link', test: 'to-reported' }),
    room.damaged && el('p', { class: 'op-warning', test: 'damaged' }, t('op.room.damaged')));
}

/** @param {any} file @param {any} reading what is covered, and how that changes */
export function mountConversation(file, reading) {
  const rooms = [...file.rooms.map((room) => ({ ...room })), ...(file.more_rooms ?? []).map((room) => ({ room }))];
  const show = button('op.uncover', () => reading.onTurnAll(), { kind: 'ghost', test: 'uncover' });
  const why = el('p', {}, t('op.coverWhy'));
  const warning = el('div', { class: 'op-cover-bar', hidden: !reading.covers }, why, show);
  const list = el('div', { class: 'op-rooms' });
  const node = el('section', { class: 'op-talk', test: 'talk', 'aria-label': t('op.room.title') }, warning, list);

  const nodes = () => [...list.querySelectorAll('[data-testid="entry"]')];

  /** Of the entry that has the focus; -1: none. */
  const place = () => nodes().indexOf(document.activeElement.closest?.('[data-testid="entry"]'));

  function paint() {
    const at = place();
    list.replaceChildren(...rooms.flatMap((room, index) => [roomHead(room, index + 1, rooms.length, (entry) => focus(before(index) + entry)), bodyOf(room)]));
    if (rooms.length === 0) list.replaceChildren(el('p', { class: 'op-empty' }, t(file.case.kind === 'appeal' ? 'op.room.appealed' : 'op.room.none')));
    setText(why, reading.isShown().all ? '' : t('op.coverWhy'));
    setText(show, t(reading.isShown().all ? 'op.coverAgain' : 'op.uncover'));
    if (at >= 0) nodes()[at]?.focus({ preventScroll: true });
  }

  /** How many entries stand above those of this room. */
  const before = (index) => rooms.slice(0, index).reduce((sum, { entries }) => sum + (entries?.length ?? 0), 0);

  function focus(at) {
    const entry = nodes()[at];
    entry?.focus({ preventScroll: true });
    entry?.scrollIntoView({ block: 'center' });
  }

  function bodyOf(room) {
    if (!room.entries) return button('op.room.load', () => load(room), { test: 'load-room' });
    const entries = room.entries.map((entry, index) => entryNode(room, entry, room.entries[index - 1], reading));
    const more = room.next && button('op.room.more', () => load(room), { test: 'load-more' });
    return el('div', { class: 'op-room' }, el('ol', { class: 'op-entries' }, ...entries), more);
  }

  async function load(room) {
    await attempt(async () => {
      const after = room.next ? `&after=${room.next}` : '';
      const answer = await get(`cases/${file.case.id}/evidence/?room=${encodeURIComponent(room.room)}${after}`);
      Object.assign(room, { next: null }, answer, { entries: [...(room.entries ?? []), ...answer.entries] });
      paint();
    });
  }

  paint();
  setHidden(warning, !reading.covers);
  return {
    node,
    paint,
    place,
    count: () => nodes().length,
    /** Where the first reported one stands; else before all. */
    firstReported: () => Math.max(0, nodes().findIndex((it) => it.classList.contains('is-reported'))),
    focus,
  };
}
