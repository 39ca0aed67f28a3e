// Rules about text that client and server share: how characters are counted,
// how a nickname and a tag are cleaned; and how a message is shown. Pure.

import { isCandidate, keepWorking, withoutCandidates } from './joiner.js';
import { wellFormed } from './well-formed.js';

/**
 * Unicode scalar values, as the server counts them (not UTF-16 units).
 * @param {string} text
 */
export function countCharacters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

// What a text is drawn without: white space, control and format characters, fillers,
// and what is drawn as a space (src/domain/visible.rs).
const unseen = String.raw`\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB\u{13430}-\u{1343F}\u{13441}\u{13442}\u{16FE4}\u{1D159}`;
// eslint-disable-next-line no-misleading-character-class -- they are escapes in `unseen`, each a character of its own
const ink = new RegExp(`[^${unseen}]`, 'u');

/**
 * Whether anything of a text can be seen.
 * @param {string} text
 */
export const shows = (text) => ink.test(text);

/**
 * The text, or `blank` instead of one that shows nothing: a server of another day took such messages.
 * @param {string} text @param {string} blank
 */
export const orBlank = (text, blank) => (shows(text) ? text : blank);

/**
 * Whether marks stand on marks, so that they may reach over what is above or below.
 * @param {string} text
 */
export const stacksMarks = (text) => /\p{M}{2}/u.test(text);

// Signs that belong to a number after them, and private ones: no name is made of them.
const notForNames = /[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}\uE000-\uF8FF\u{F0000}-\u{10FFFF}]/u;
const space = /\p{White_Space}/u;
const mark = /\p{M}/u;
const marksOnOne = 3;

/** @param {string} char */
const mayStay = (char) => space.test(char) || isCandidate(char) || (shows(char) && !notForNames.test(char));

/**
 * As the server cleans it (src/domain/text.rs).
 * @param {string} text @param {number} limit @param {'NFC' | 'NFKC'} form
 */
function clean(text, limit, form) {
  const seen = [...wellFormed(text)].filter(mayStay).join('');
  return keepWorking(tidy(keepWorking(seen).normalize(form), limit));
}

/** @param {string} text @param {number} limit */
function tidy(text, limit) {
  const out = [];
  let marks = 0;
  let gap = false;
  for (const char of text) {
    if (space.test(char)) {
      gap = out.length > 0;
      continue;
    }
    if (!mayStay(char)) continue;
    const joins = isCandidate(char);
    if (!joins) marks = mark.test(char) ? marks + 1 : 0;
    const bare = marks > 0 && (out.length === 0 || gap);
    if (bare || (marks > marksOnOne && !joins)) continue;
    if (out.length + (gap ? 2 : 1) > limit) break;
    if (gap) out.push(' ');
    gap = false;
    out.push(char);
  }
  return out.join('');
}

const narrow = /^[\p{Script=Latin}\p{M}\p{N}\p{P}\p{Zs}]*$/u;

/**
 * How many characters a name like this may have: Latin letters are narrow, so that more of them fit.
 * @param {string} name
 */
export const nicknameLimit = (name, limit = 12) => (narrow.test(name) ? Math.round((limit * 5) / 3) : limit);

/** @param {string} text */
export function cleanNickname(text, limit = 12) {
  const long = clean(text, nicknameLimit('', limit), 'NFC');
  return nicknameLimit(long, limit) > limit ? long : clean(text, limit, 'NFC');
}

/** @param {string} text */
export const cleanTag = (text) => clean(text, 20, 'NFKC');

const lineEnds = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u;
const EMPTY_LINES = 2;

/**
 * What is shown of a message: at most two empty lines in a row, for more only push
 * away what others said. What is stored, quoted and copied stays as it was written.
 * @param {string} text
 */
export function foldEmptyLines(text) {
  const lines = text.split(lineEnds);
  let empty = 0;
  const shown = lines.filter((line) => {
    empty = shows(line) ? 0 : empty + 1;
    return empty <= EMPTY_LINES;
  });
  return shown.length === lines.length ? text : shown.join('\n');
}

/**
 * Without what a keyboard may leave out: half spaces, and whether a heart is in colour.
 * @param {string} tag
 */
const fold = (tag) => withoutCandidates(tag.toLowerCase());

/** @param {string} a @param {string} b */
export const sameTag = (a, b) => fold(a) === fold(b);

// One emoji: a flag, a keycap, or a picture with its skin and what is joined to it.
const picture = String.raw`(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}(?=\uFE0F|\p{Emoji_Modifier}))(?:\uFE0F|\p{Emoji_Modifier})?`;
const joined = String.raw`(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?)*`;
const emoji = String.raw`(?:\p{RI}\p{RI}|[0-9#*]\uFE0F?\u20E3|${picture}[\u{E0020}-\u{E007F}]*${joined})`;
const fewEmoji = new RegExp(`^${emoji}(?: ?${emoji}){0,2}$`, 'u');

/**
 * Whether a message is one to three emoji and nothing else: shown large.
 * @param {string} text
 */
export const isFewEmoji = (text) => text.length < 100 && fewEmoji.test(text.trim());

const fence = /^```[^`]*$/;

/** @typedef {{ code: boolean, text: string }} Part */

/**
 * A message as it is shown: words, and what stands between two lines of three backquotes. A fence that is
 * not closed is words.
 * @param {string} text @returns {Part[]}
 */
export function textParts(text) {
  if (!text.includes('```')) return [{ code: false, text }];
  const lines = text.split('\n');
  /** @type {Part[]} */
  const parts = [];
  let words = 0; // where the words begin that are not in a part yet
  const flush = (/** @type {number} */ end) => {
    const said = lines.slice(words, end).join('\n');
    if (said !== '') parts.push({ code: false, text: said });
  };
  for (let at = 0; at < lines.length; at += 1) {
    const end = fence.test(lines[at]) ? lines.findIndex((line, index) => index > at && line.trim() === '```') : -1;
    if (end <= at + 1) continue;
    flush(at);
    parts.push({ code: true, text: lines.slice(at + 1, end).join('\n') });
    words = end + 1;
    at = end;
  }
  flush(lines.length);
  return parts;
}

/**
 * The beginning of a text, in one line.
 * @param {string} text @param {number} limit
 */
export function beginning(text, limit) {
  const letters = [...text.replace(/\s+/gu, ' ').trim()];
  return letters.length > limit ? `${letters.slice(0, limit).join('')}…` : letters.join('');
}
