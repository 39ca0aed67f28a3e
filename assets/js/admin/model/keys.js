// Which key means what in the console. Pure. A key that is held down moves and does
// nothing else; one that belongs to a field, a button or the browser is left to it.

/** How long a press after a decision is not meant: the second of a double press. */
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
 * Whether a press that decides was meant, or belongs to the one before it or to the case before this one.
 * @param {number} at @param {number} since when the case came up, or was decided last
 */
export const isMeant = (at, since) => at - since >= settling;
