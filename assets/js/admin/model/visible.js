// What a text hides. Pure: it is cut into what can be seen and into characters that
// cannot, or that turn the order of what stands after them. These are shown by their
// numbers and never written into the page.

/** @typedef {{ text: string } | { mark: string }} Part */

// Format and control characters, blank letters, separators of lines; not the line's own end and tab.
const hidden = /(?![\n\t])[\p{Cf}\p{Cc}\p{Co}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u2800\u3164\uFFA0]/u;
const pictograph = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F/u;
const joiner = '\u200D';
const flag = '\u{1F3F4}';
const tag = /[\u{E0020}-\u{E007F}]/u;

/** Whether this one only joins pictures into one, as a family or a country's flag does. @param {string[]} all @param {number} at */
function joins(all, at) {
  if (all[at] === joiner) return at > 0 && pictograph.test(all[at - 1]) && pictograph.test(all[at + 1] ?? '');
  if (!tag.test(all[at])) return false;
  let first = at;
  while (first > 0 && tag.test(all[first])) first -= 1;
  return all[first] === flag;
}

/** @param {string} char */
const numberOf = (char) => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * @param {string} text @returns {Part[]}
 */
export function partsOf(text) {
  const all = [...text];
  /** @type {Part[]} */
  const parts = [];
  let seen = '';
  for (const [at, char] of all.entries()) {
    // Half of a pair alone is no character at all.
    const lone = /^[\uD800-\uDFFF]$/.test(char);
    if (!lone && (!hidden.test(char) || joins(all, at))) {
      seen += char;
      continue;
    }
    if (seen) parts.push({ text: seen });
    seen = '';
    parts.push({ mark: numberOf(char) });
  }
  if (seen) parts.push({ text: seen });
  return parts;
}
