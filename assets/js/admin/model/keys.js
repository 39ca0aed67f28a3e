// Which key means what in the console. Pure. A key that is held down moves and does
// nothing else; one that belongs to a field, a button or the browser is left to it.

/** So long a pause makes keys begin anew: those before it were meant for what was there before. */
export const settling = 400;

/**
 * @typedef {object} Key as an event says it
 * @property {string} key
 * @property {boolean} [ctrlKey]
 * @property {boolean} [metaKey]
 * @property {boolean} [altKey]
 * @property {boolean} [repeat]
 * @property {boolean} [isComposing]
 *
 * @typedef {object} Where what has the focus
 * @property {string} view
 * @property {boolean} [typing] in a field for text
 * @property {boolean} [pressable] on a button or a link, which Enter and Space press
 */

/** @type {Record<string, string>} */
const anywhere = { '?': 'help', j: 'down', k: 'up' };

/** @type {Record<string, Record<string, string>>} */
const inView = {
  queue: { Enter: 'open', n: 'next' },
  closed: { Enter: 'open' },
  case: { Enter: 'decide', n: 'next', e: 'escalate', v: 'uncover', q: 'queue', t: 'text', '1': 'template-1', '2': 'template-2', '3': 'template-3', '4': 'template-4', '5': 'template-5', '6': 'template-6', '7': 'template-7' },
};

const moves = new Set(['down', 'up']);

/** The keys of a view with what they do, for the list of them. @param {string} view @returns {[string, string][]} */
export const keysOf = (view) => Object.entries({ ...anywhere, ...inView[view] });

/** What is left of the keys in a field, and with Ctrl or the command key held. @param {Key} key @param {Where} where */
function commandInField({ key, repeat }, { view, typing }, held = false) {
  if (repeat) return null;
  if (key === 'Escape') return typing ? 'leave-field' : null;
  return key === 'Enter' && held && view === 'case' ? 'decide' : null;
}

/**
 * @param {Key} key @param {Where} where
 * @returns {string | null} the command
 */
export function commandOf(key, where) {
  if (key.isComposing || key.altKey) return null;
  const held = Boolean(key.ctrlKey || key.metaKey);
  if (held || where.typing) return commandInField(key, where, held);
  if (key.key === 'Enter' && where.pressable) return null;
  // A letter means the same with the shift key's lock on.
  const name = key.key.length === 1 ? key.key.toLowerCase() : key.key;
  const command = inView[where.view]?.[name] ?? anywhere[name] ?? null;
  return command && key.repeat && !moves.has(command) ? null : command;
}

/**
 * The keys of a case as far as they were struck so far. They are its own once there was a pause since it came up:
 * before that they were begun for what was there before it.
 * @typedef {object} Gate
 * @property {number} since when it came up, or when the last key was struck that was not its own
 * @property {boolean} passed whether one of its own was struck
 * @property {number} lost how many letters went nowhere
 */

/** As a case comes up. @param {number} at @param {number} [lost] @returns {Gate} */
export const shutGate = (at, lost = 0) => ({ since: at, passed: false, lost });

/** Whether a key writes or presses something. Others, such as Shift alone, F5 or Ctrl C, are the browser's. @param {Key} key */
const touches = ({ key, ctrlKey, metaKey, altKey }) => key === 'Enter' || (!ctrlKey && !metaKey && !altKey && (key.length === 1 || key === 'Tab' || key === 'Backspace'));

/**
 * What becomes of a key: whether it goes through, and the gate after it. While something is sent none does.
 * @param {Gate} gate @param {Key} key @param {number} at @param {boolean} busy
 * @returns {{ gate: Gate, goes: boolean }}
 */
export function strike(gate, key, at, busy) {
  if (!touches(key)) return { gate, goes: true };
  if (!busy && (gate.passed || at - gate.since >= settling)) return { gate: { ...gate, passed: true }, goes: true };
  return { gate: shutGate(at, gate.lost + (key.key.length === 1 ? 1 : 0)), goes: false };
}
