// Unseen characters that do a job in names and tags: joiners, variation selectors,
// the tags of a few flags. Kept where they change what is drawn, as the server does
// it (src/domain/zero_width.rs): the name one reads as one's own is what the other reads.

const candidate = /[\u200C\u200D\u180B-\u180F\uFE00-\uFE0F\u{E0020}-\u{E007F}\u{E0100}-\u{E01EF}]/u;
const mark = /\p{M}/u;
// Not \p{Extended_Pictographic}: it has grown smaller in newer browsers.
const picture = /[\p{Emoji}\u{1FA70}-\u{1FAFF}]/u;
const noPicture = /[#*0-9\u{1F1E6}-\u{1F1FF}\u{1F3FB}-\u{1F3FF}]/u;
const arabic =
  /[\u0620\u0622-\u064A\u066E\u066F\u0671-\u0673\u0675-\u06D3\u06D5\u06EE\u06EF\u06FA-\u06FC\u06FF\u0750-\u077F\u0870-\u0882\u0886\u0889-\u088D\u08A0-\u08AC\u08AE-\u08C8]/u;
// Never joined to the letter after them: a half space behind these changes nothing.
const backwards =
  /[\u0622-\u0625\u0627\u0629\u062F-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06C0\u06C3-\u06CB\u06CD\u06CF\u06D2\u06D3\u06D5\u06EE\u06EF\u0759-\u075B\u076B\u076C\u0771\u0773\u0774\u0778\u0779\u0870-\u0882\u088E\u08AA-\u08AC\u08AE\u08B1\u08B2\u08B9]/u;
const mongolian = /[\u1820-\u1878\u1880-\u18AA]/u;
const ideograph = /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{3FFFD}]/u;
const indic = /[\u0900-\u0DFF]/u;
const virama = /[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D3B\u0D3C\u0D4D\u0DCA]/u;
const nukta = /[\u093C\u09BC\u0A3C\u0ABC\u0B3C\u0C3C\u0CBC]/u;
const chillu = /[കണനരലള]/u;
/** @param {string} letters */
const tagsOf = (letters) => [...letters].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('') + '\u{E007F}';
const flags = ['gbeng', 'gbsct', 'gbwls'].map(tagsOf);

/** @param {string} char */
const codeOf = (char) => char.codePointAt(0) ?? 0;

/** @param {string} char */
export const isCandidate = (char) => candidate.test(char);
/** @param {string} text */
export const withoutCandidates = (text) => [...text].filter((char) => !isCandidate(char)).join('');

/** @param {string} char */
const isPicture = (char) => picture.test(char) && !noPicture.test(char);
/** @param {string} char */
const isArabic = (char) => arabic.test(char);

/**
 * The same text without those that do nothing where they stand.
 * @param {string} text
 */
export function keepWorking(text) {
  const chars = [...text];
  const kept = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at];
    if (!isCandidate(char) || works(kept, char, chars[at + 1] ?? '', chars[at + 2] ?? '')) kept.push(char);
    if (char !== '\u{1F3F4}') continue;
    const rest = chars.slice(at + 1, at + 7).join('');
    if (!flags.includes(rest)) continue;
    kept.push(...rest);
    at += 6;
  }
  return kept.join('');
}

/**
 * Whether this one changes what is drawn, between these.
 * @param {string[]} before @param {string} char @param {string} next @param {string} afterNext
 */
function works(before, char, next, afterNext) {
  const last = before.at(-1) ?? '';
  const code = codeOf(char);
  if (last === '') return false;
  if (char === '\u200C') return partsArabic(before, next) || isAtVirama(before, char, next, afterNext);
  if (char === '\u200D') return joinsEmoji(before, next) || isAtVirama(before, char, next, afterNext);
  if (char === '\u180E') return mongolian.test(last) && mongolian.test(next);
  if (code <= 0x180f) return mongolian.test(last);
  if (char === '\uFE0F' && /[0-9#*]/.test(last)) return next === '\u20E3';
  if (char === '\uFE0E' || char === '\uFE0F') return isPicture(last);
  if (char === '\uFE00' && /[\u1000-\u109F]/u.test(last)) return true;
  if (code <= 0xfe02 || code >= 0xe0100) return ideograph.test(last);
  return false;
}

/**
 * A half space: it stands between two letters that would be written together.
 * @param {string[]} before @param {string} next
 */
function partsArabic(before, next) {
  const letter = before.findLast((char) => !mark.test(char)) ?? '';
  return isArabic(letter) && !backwards.test(letter) && isArabic(next);
}

/**
 * Beside the sign that takes a letter its vowel: how two letters are written together.
 * @param {string[]} before @param {string} char @param {string} next @param {string} afterNext
 */
function isAtVirama(before, char, next, afterNext) {
  const last = before.at(-1) ?? '';
  if (!indic.test(last)) return false;
  const script = codeOf(last) >> 7;
  const isLetter = (/** @type {string} */ other) => indic.test(other) && !mark.test(other) && codeOf(other) >> 7 === script;
  if (virama.test(last)) {
    const base = before.findLast((other) => !mark.test(other)) ?? '';
    return isLetter(base) && ((char === '\u200D' && chillu.test(base)) || isLetter(next));
  }
  return (isLetter(last) || nukta.test(last)) && virama.test(next) && isLetter(afterNext);
}

/**
 * One picture made of several.
 * @param {string[]} before @param {string} next
 */
function joinsEmoji(before, next) {
  const part = before.findLast((char) => !/[\uFE0F\u{1F3FB}-\u{1F3FF}]/u.test(char)) ?? '';
  return isPicture(part) && isPicture(next);
}
