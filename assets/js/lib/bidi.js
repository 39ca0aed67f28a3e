// Keeps a name or a text that runs from right to left in its place inside one of
// our sentences: what is put in changes neither the order nor the direction of what
// stands around it. For plain strings; elements of their own have dir="auto". Pure.

const isolateStart = '\u2068';
const isolateEnd = '\u2069';
// Letters that run from right to left, their numbers, and characters that change direction.
const turns = /[\u0590-\u08FF\u200F\u202A-\u202E\u2066-\u2069\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/**
 * The text as it goes into a sentence; one that disturbs nothing stays as it is.
 * @param {string} text
 */
export const isolate = (text) => (turns.test(text) ? isolateStart + balanced(text) + isolateEnd : text);

/**
 * An end without a start would end ours, a start without an end would outlast it.
 * @param {string} text
 */
function balanced(text) {
  let open = 0;
  let out = '';
  for (const char of text) {
    if (/[\u2066-\u2068]/.test(char)) open += 1;
    if (char === isolateEnd) {
      if (open === 0) continue;
      open -= 1;
    }
    out += char;
  }
  return out + isolateEnd.repeat(open);
}
