// One message as an element. Text by textContent only: what somebody wrote is
// never markup, and links in it are not clickable.

import { el, icon, mark } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { clock } from '../lib/time.js';

/** Fills `node` (an li) with what `row` looks like now. */
export function fillMessage(node, row, names) {
  const { source } = row;
  node.className = `message ${row.mine ? 'is-mine' : 'is-theirs'}${row.first ? ' is-first' : ''}${row.last ? ' is-last' : ''}`;
  node.dataset.mine = String(row.mine);
  node.dataset.state = row.state;
  if (source.seq) node.dataset.seq = source.seq;
  if (source.clientId) node.dataset.clientId = source.clientId;
  if (row.recalled) fillRecalled(node, row);
  else fillText(node, row, names);
  const word = row.mine && !row.recalled ? t(`msg.${row.state}`) : null;
  if (word) node.setAttribute('aria-description', word);
  else node.removeAttribute('aria-description');
}

function fillRecalled(node, row) {
  const words = t(row.mine ? 'msg.recalledMine' : 'msg.recalledTheirs');
  node.replaceChildren(el('div', { class: 'bubble is-recalled' }, words), row.last ? el('p', { class: 'meta' }, clock(row.at)) : '');
}

function fillText(node, row, names) {
  const { source } = row;
  const sender = row.mine ? t('chat.you') : names.partner;
  const [before, after] = t('chat.spoken', { name: sender, text: '\u0000', time: clock(row.at) }).split('\u0000');
  const bubble = el(
    'div',
    { class: `bubble${names.bot && !row.mine ? ' is-bot' : ''}` },
    quoteOf(row, names),
    el('span', { class: 'sr' }, names.bot && !row.mine ? `${t('chat.bot')} ` : '', before),
    el('span', { class: 'bubble-text', dir: 'auto' }, source.content ?? ''),
    el('span', { class: 'sr' }, after),
  );
  node.replaceChildren(bubble, ...metaOf(row));
}

function quoteOf(row, names) {
  const quote = quoteFields(row);
  if (!quote) return null;
  const text = quote.text === null ? t('msg.quoteGone') : quote.text;
  const words = { name: names.partner, text };
  return el(
    'span',
    { class: `quote${quote.text === null ? ' is-gone' : ''}`, 'data-target': quote.id, 'aria-label': quote.mine ? t('chat.quoteOwn', words) : t('chat.quoteOf', words), role: 'note' },
    el('span', { class: 'quote-text', dir: 'auto' }, text),
  );
}

function quoteFields({ source, state }) {
  if (state === 'pending' || state === 'failed') return source.reply ? { id: source.reply.id, text: source.reply.text, mine: source.reply.mine } : null;
  if (!source.repliedTo) return null;
  return { id: source.repliedTo, text: source.quoteText, mine: source.quoteMine };
}

function metaOf(row) {
  if (row.state === 'failed') return [failedMeta(row.source.failed)];
  if (!row.last) return [];
  const parts = [clock(row.at)];
  if (row.mine) parts.push(stateShape(row.state));
  if (row.mine && row.newest) parts.push(t(`msg.${row.state}`));
  return [el('p', { class: 'meta', 'aria-hidden': 'true' }, ...parts)];
}

/** Why it was not sent; a press tries again where that can help. */
function failedMeta(code) {
  const shape = el('span', { class: 'state-failed', 'aria-hidden': 'true' }, '!');
  if (code === 'room_closed' || code === 'room_full') return el('p', { class: 'meta meta-failed' }, shape, t(`err.${code}`));
  return el('button', { type: 'button', class: 'meta meta-failed', test: 'retry', tabindex: '-1' }, shape, t('msg.failed'));
}

function stateShape(state) {
  if (state === 'read') return mark('state-read');
  if (state === 'sent') return icon('check');
  return el('span', { class: 'state-pending' });
}
