// A conversation as a text file: who said what and when, in the words of the page.
// What was recalled is there as recalled, what was deleted here is not. Pure.

import { t } from '../lib/i18n.js';
import { clock, dateText } from '../lib/time.js';
import { logRows } from './rows.js';
import { orBlank } from './text.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./rows.js').MessageRow} MessageRow */

const lineEnd = '\n';

/**
 * @param {Room} state
 * @param {{ me: string, site: string, language: string, now: number }} circumstances `me`: what I am called there
 */
export function transcript(state, { me, site, language, now }) {
  const them = state.partner?.nickname ?? '';
  const head = [site, t('transcript.with', { me, them }), t('transcript.saved', { when: `${dateText(now, language)} ${clock(now)}` })];
  const blocks = [head.join(lineEnd)];
  for (const row of logRows(state)) {
    if (row.kind === 'day') blocks.push(`— ${dateText(row.at, language)} —`);
    if (row.kind === 'message') blocks.push(spoken(row, { me, them }));
  }
  return plain(blocks.join(lineEnd + lineEnd) + lineEnd);
}

/** @param {MessageRow} row @param {{ me: string, them: string }} names */
function spoken(row, { me, them }) {
  const { source } = row;
  const isKept = row.state === 'failed' || row.state === 'pending';
  const note = row.recalled ? t('transcript.recalled') : isKept ? t('transcript.unsent') : '';
  const lines = [`${clock(row.at)}  ${row.mine ? me : them}${note && ` ${note}`}`];
  if (!row.recalled) {
    lines.push(...quoteOf(source, { me, them }), orBlank(source.content ?? '', t('msg.blank')));
  }
  return lines.join(lineEnd);
}

/** What it answers, as mail quotes it. @param {any} source @param {{ me: string, them: string }} names */
function quoteOf(source, { me, them }) {
  const quote = source.reply ?? (source.repliedTo ? { text: source.quoteText, mine: source.quoteMine } : null);
  if (!quote) return [];
  const text = quote.text === null ? t('msg.quoteGone') : `${quote.mine ? me : them}: ${quote.text}`;
  return text.split(/\r\n|[\n\r]/).map((/** @type {string} */ line) => `> ${line}`);
}

/**
 * Without what keeps names in their place on a page: a file has no such sentences around them.
 * @param {string} text
 */
const plain = (text) => text.replace(/[\u2068\u2069]/g, '');

/**
 * A name that every system takes for a file.
 * @param {string} site @param {number} now
 */
export function fileName(site, now) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const date = new Date(now);
  const name = site.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '') || 'miyu';
  return `${name}-${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}-${two(date.getHours())}${two(date.getMinutes())}.txt`;
}
