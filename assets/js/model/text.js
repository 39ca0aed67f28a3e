// Rules about text that client and server share: how characters are counted,
// how a nickname and a tag are cleaned. Pure.

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

export const sameTag = (a, b) => a.toLowerCase() === b.toLowerCase();
