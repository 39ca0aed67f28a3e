// Half a character, as a text has it that was cut in the middle of an emoji: nothing carries it, and who reads
// what was sent with it reads none of it. Pure.

// A pair of surrogates, or half of one.
const surrogates = /[\uD800-\uDBFF][\uDC00-\uDFFF]|[\uD800-\uDFFF]/g;

/**
 * The text with U+FFFD for each half of a character: what other programs cut,
 * and some keyboards split. No socket carries half a character.
 * @param {string} text @returns {string}
 */
export function wellFormed(text) {
  // Not in older browsers.
  if (text.toWellFormed) return text.toWellFormed();
  return text.replace(surrogates, (found) => (found.length === 2 ? found : '\uFFFD'));
}

/**
 * JSON that every reader takes: no text in it has half a character.
 * @param {unknown} value
 */
export const wellFormedJson = (value) => JSON.stringify(value, (_, part) => (typeof part === 'string' ? wellFormed(part) : part));
