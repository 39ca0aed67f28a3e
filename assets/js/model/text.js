// Rules about text that client and server share: how characters are counted,
// how a nickname and a tag are cleaned; and how a message is shown. Pure.

/** Unicode scalar values, as the server counts them (not UTF-16 units). */
export function countCharacters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export function cutCharacters(text, limit) {
  return Array.from(text).slice(0, limit).join('');
}

// Control, bidi and zero-width characters: they only serve to mislead.
const hiddenCharacters = /[\p{Cc}\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu;

export function cleanNickname(text, limit = 12) {
  const plain = text.normalize('NFC').replace(/\s+/gu, ' ').replace(hiddenCharacters, '').trim();
  return cutCharacters(plain, limit).trim();
}

export function cleanTag(text) {
  const plain = text.normalize('NFKC').replace(/\s+/gu, ' ').replace(hiddenCharacters, '').trim();
  return cutCharacters(plain, 20).trim();
}

const lineEnds = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u;
// White space and characters without ink.
const emptyLine = /^[\s\p{Cf}\u115F\u1160\u2800\u3164\uFFA0]*$/u;
const EMPTY_LINES = 2;

/**
 * What is shown of a message: at most two empty lines in a row, for more only push
 * away what others said. What is stored, quoted and copied stays as it was written.
 */
export function foldEmptyLines(text) {
  const lines = text.split(lineEnds);
  let empty = 0;
  const shown = lines.filter((line) => {
    empty = emptyLine.test(line) ? empty + 1 : 0;
    return empty <= EMPTY_LINES;
  });
  return shown.length === lines.length ? text : shown.join('\n');
}

export const sameTag = (a, b) => a.toLowerCase() === b.toLowerCase();
