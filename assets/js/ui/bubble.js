// One message as an element. Text by textContent only: what a person wrote is
// never markup, and links in it are not clickable.

import { el, icon, mark, setAttr, setText } from '../lib/dom.js';
import { around, language, t } from '../lib/i18n.js';
import { clock } from '../lib/time.js';
import { foldEmptyLines, isFewEmoji, orBlank, shows, stacksMarks, textParts } from '../model/text.js';
import { fillReactions } from './reactions.js';

const painted = new WeakMap(); // li -> what its parts show, so that only a change is drawn

/**
 * Makes `node` (an li) look like `row`. The log is a live region: the words stay
 * untouched unless they changed, and what else changes is not for announcing.
 */
export function fillMessage(node, row, names) {
  const { source } = row;
  const classes = { message: true, 'is-mine': row.mine, 'is-theirs': !row.mine, 'is-first': row.first, 'is-last': row.last };
  for (const [name, on] of Object.entries(classes)) node.classList.toggle(name, on);
  setData(node, 'mine', row.mine);
  setData(node, 'state', row.state);
  if (source.seq) setData(node, 'seq', source.seq);
  if (source.clientId) setData(node, 'clientId', source.clientId);
  const kind = row.recalled ? 'recalled' : 'text';
  const before = painted.get(node);
  const parts = before?.kind === kind ? before : row.recalled ? recalledParts() : wordParts();
  if (row.recalled) setText(parts.bubble, t(row.mine ? 'msg.recalledMine' : 'msg.recalledTheirs'));
  else fillText(parts, row, names);
  if (parts !== before) node.replaceChildren(parts.bubble);
  node.classList.toggle('is-reacted', fillReactions(parts.bubble, row.reactions, names));
  painted.set(node, parts);
  fillMeta(node, parts, row);
  setAttr(node, 'aria-description', row.mine && !row.recalled ? t(`msg.${row.state}`) : null);
}

function setData(node, name, value) {
  if (node.dataset[name] !== String(value)) node.dataset[name] = value;
}

const recalledParts = () => ({ kind: 'recalled', bubble: el('div', { class: 'bubble is-recalled' }), meta: null, metaKey: '' });

function wordParts() {
  const parts = {
    kind: 'text',
    quote: null,
    quoteKey: '',
    words: '',
    before: el('span', { class: 'sr' }),
    text: el('span', { class: 'bubble-text', dir: 'auto' }),
    // The server's clock may differ by a minute from ours: no news.
    after: el('span', { class: 'sr', 'aria-live': 'off' }),
    meta: null,
    metaKey: '',
  };
  parts.bubble = el('div', { class: 'bubble' }, parts.before, parts.text, parts.after);
  return parts;
}

function fillText(parts, row, names) {
  const sender = row.mine ? t('chat.you') : names.partner;
  const bot = Boolean(names.bot) && !row.mine;
  parts.bubble.classList.toggle('is-bot', bot);
  const [before, after] = around('chat.spoken', 'text', { name: sender, time: clock(row.at) });
  setText(parts.before, `${bot ? `${t('chat.bot')} ` : ''}${before}`);
  const content = row.source.content ?? '';
  parts.text.classList.toggle('is-blank', !shows(content));
  parts.text.classList.toggle('is-stacked', stacksMarks(content));
  fillWords(parts, orBlank(foldEmptyLines(content), t('msg.blank')));
  parts.bubble.classList.toggle('is-emoji', !row.source.repliedTo && !row.source.reply && isFewEmoji(content));
  setText(parts.after, after);
  const quote = quoteFields(row);
  const key = quote ? JSON.stringify([quote.id, quote.text, quote.mine, names.partner, language()]) : '';
  if (key === parts.quoteKey) return;
  parts.quoteKey = key;
  parts.quote?.remove();
  parts.quote = quote ? quoteOf(quote, names) : null;
  if (parts.quote) parts.bubble.prepend(parts.quote);
}

/** What stands between fences is code: its own element, and no words for a translator. */
function fillWords(parts, words) {
  const pieces = textParts(words);
  if (pieces.every(({ code }) => !code)) {
    setText(parts.text, words);
  } else if (parts.words !== words) {
    parts.text.replaceChildren(...pieces.map(({ code, text }) => (code ? el('code', { class: 'bubble-code', dir: 'ltr', translate: 'no' }, text) : text)));
  }
  parts.words = words;
}

/** Time and state stand outside the bubble and outside what is announced. */
function fillMeta(node, parts, row) {
  const failed = row.state === 'failed' ? row.source.failed : null;
  const key = failed || row.last ? JSON.stringify([failed, clock(row.at), row.mine && row.state, row.newest, language()]) : '';
  if (key === parts.metaKey) return;
  parts.metaKey = key;
  if (key === '' || failed || parts.meta?.dataset.failed) {
    parts.meta?.remove();
    parts.meta = null;
  }
  if (key === '') return;
  if (failed) {
    parts.meta = failedMeta(failed);
    node.append(parts.meta);
    return;
  }
  if (!parts.meta) {
    parts.meta = el('p', { class: 'meta', 'aria-hidden': row.recalled ? null : 'true', 'aria-live': 'off' });
    node.append(parts.meta);
  }
  parts.meta.replaceChildren(...metaOf(row));
}

function quoteOf(quote, names) {
  const text = quote.text === null ? t('msg.quoteGone') : orBlank(quote.text, t('msg.blank'));
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
  const parts = [clock(row.at)];
  if (row.mine && !row.recalled) {
    parts.push(stateShape(row.state));
    if (row.newest) parts.push(t(`msg.${row.state}`));
  }
  return parts;
}

/** Why it was not sent; a press tries again where that can help. Said by the status region. */
function failedMeta(code) {
  const shape = el('span', { class: 'state-failed', 'aria-hidden': 'true' }, '!');
  const attributes = { class: 'meta meta-failed', 'aria-live': 'off', 'data-failed': 'true' };
  if (code === 'room_closed' || code === 'room_full') return el('p', attributes, shape, t(`err.${code}`));
  return el('button', { type: 'button', test: 'retry', tabindex: '-1', ...attributes }, shape, t('msg.failed'));
}

function stateShape(state) {
  if (state === 'read') return mark('state-read');
  if (state === 'sent') return icon('check');
  return el('span', { class: 'state-pending' });
}
