// The search as data: what the server said last, and which lines and option
// rows follow from it. Pure: `now` is an argument, sockets are in net/.

/** @typedef {import('./room.js').Frame} Frame */

/**
 * @typedef {object} Search
 * @property {number} startedAt
 * @property {'connecting' | 'open' | 'lost' | 'blocked' | 'stopped'} connection
 * @property {string | null} phase
 * @property {number | null} phaseEndsAt
 * @property {number} phaseSince
 * @property {number} waiting
 * @property {boolean} unfit
 * @property {boolean} heard
 * @property {null | 'replaced' | 'in_room' | 'rate' | 'store' | 'full' | 'maintenance' | 'notice'} halted
 * @property {string | null} roomId
 * @property {number | null} retryAt
 * @property {Frame | null} found
 * @property {boolean} cancelled
 */

/** @typedef {[key: string, values: Record<string, string | number>]} Line a key of the catalogue and its values */

const fullPatience = 20_000;
const maintenancePatience = 60_000;
const newsFor = 8000; // that what is looked for has changed is news for so long
const repeatsAfter = 60_000; // only then it is of use that people met before may come

/** @param {number} now @returns {Search} */
export function newSearch(now) {
  return {
    startedAt: now,
    connection: 'connecting',
    phase: null,
    phaseEndsAt: null,
    phaseSince: now,
    waiting: 0,
    unfit: false,
    heard: false,
    halted: null,
    roomId: null,
    retryAt: null,
    found: null,
    cancelled: false,
  };
}

/** @param {Search} state @param {Frame} event @param {number} now @returns {Search} */
export function reduceSearch(state, event, now) {
  switch (event.action) {
    case 'waiting_for_match':
      return {
        ...state,
        heard: true,
        halted: null,
        phase: event.phase ?? state.phase,
        phaseSince: (event.phase ?? state.phase) === state.phase ? state.phaseSince : now,
        phaseEndsAt: typeof event.phase_ends_ms === 'number' ? now + event.phase_ends_ms : null,
        waiting: event.waiting ?? 0,
        unfit: Boolean(event.unfit),
      };
    case 'match_found':
      return { ...state, found: event, halted: null };
    case 'matching_cancelled':
      return { ...state, cancelled: true };
    case 'in_room':
      return { ...state, halted: 'in_room', roomId: event.room_id };
    case 'replaced':
      return { ...state, halted: 'replaced' };
    case 'error':
      return reduceError(state, event, now);
    case 'connection':
      return { ...state, connection: event.status, heard: event.status === 'open' ? state.heard : false };
    case 'restart':
      return { ...newSearch(state.startedAt), connection: state.connection, ...stillFull(state, now) };
    default:
      return state;
  }
}

/** @param {Search} state @param {Frame} event @param {number} now @returns {Search} */
function reduceError(state, event, now) {
  if (event.code === 'rate_limited') {
    return { ...state, halted: 'rate', retryAt: now + (event.retry_after_ms ?? 3000) };
  }
  if (event.code === 'unavailable') {
    return { ...state, halted: 'store', retryAt: now + (event.retry_after_ms ?? 3000) };
  }
  if (event.code === 'site_full') {
    return { ...state, halted: 'full', retryAt: now + (event.retry_after_ms ?? fullPatience) };
  }
  // It may be over before its time.
  if (event.code === 'maintenance') {
    return { ...state, halted: 'maintenance', retryAt: now + Math.min(event.retry_after_ms ?? fullPatience, maintenancePatience) };
  }
  if (event.code === 'notice_pending') return { ...state, halted: 'notice' };
  return state;
}

/**
 * While it is asked again the site counts as full, or in maintenance, so that nothing flickers every few seconds.
 * @param {Search} state @param {number} now @returns {Partial<Search>}
 */
const stillFull = ({ halted }, now) => (halted === 'full' || halted === 'maintenance' ? { halted, retryAt: now + fullPatience } : {});

/**
 * Whether a connection that came back by itself goes on searching. Not where
 * another tab searches, and not over an open room: its page may have lost its
 * connection in the same moment, and to search would be to leave it.
 * @param {Pick<Search, 'halted'>} state
 */
export const goesOn = ({ halted }) => !['replaced', 'in_room', 'rate', 'full', 'maintenance', 'notice'].includes(halted ?? '');

/**
 * Which people a search looks for at first: those with a tag, else those of one language.
 * @param {string} tags @param {number} seconds @returns {Line}
 */
function firstLine(tags, seconds) {
  if (tags) return seconds ? ['match.tags', { tags, s: seconds }] : ['match.tagsSoon', { tags }];
  return seconds ? ['match.alike', { s: seconds }] : ['match.alikeSoon', {}];
}

/** @param {number | null} moment @param {number} now */
const secondsTo = (moment, now) => Math.max(0, Math.ceil(((moment ?? now) - now) / 1000));

/**
 * Why nothing is being looked for just now; null: something is.
 * @param {Search} state @param {number} now @returns {Line | null}
 */
function haltedLine(state, now) {
  const retry = { s: Math.max(1, secondsTo(state.retryAt, now)) };
  if (state.connection === 'stopped') return ['match.stopped', {}];
  if (state.connection === 'blocked') return ['net.blocked', {}];
  if (state.halted === 'replaced') return ['match.replaced', {}];
  if (state.halted === 'in_room') return ['match.inRoom', {}];
  if (state.halted === 'rate') return ['err.rate', retry];
  if (state.halted === 'notice') return ['match.notice', {}];
  if (state.halted === 'full' && state.connection !== 'lost') return ['match.full', retry];
  if (state.halted === 'maintenance' && state.connection !== 'lost') return ['app.maintenance', {}];
  if (state.connection === 'lost' || state.halted === 'store') return ['match.lost', {}];
  return state.heard ? null : ['match.connecting', {}];
}

/**
 * The sentence under the title, one at a time: a catalogue key and its values. `tags` are the labels of the tags
 * asked for; `hasMet`: this person has met others here; `hours`: when more people come, where that is to be said.
 * @param {Search} state @param {string} tags @param {number} now @param {{ hasMet?: boolean, hours?: Line | null }} more
 * @returns {Line}
 */
export function searchLine(state, tags, now, { hasMet = false, hours = null } = {}) {
  const halted = haltedLine(state, now);
  if (halted) return halted;
  if (state.unfit) return ['match.nofit', {}];
  if (state.phase === 'shared_tags') return firstLine(tags, secondsTo(state.phaseEndsAt, now));
  if (state.phase === 'anyone' && tags && now - state.phaseSince < newsFor) return ['match.anyone', {}];
  if (state.waiting >= 5) return ['match.some', { n: state.waiting }];
  if (state.phase === 'repeats' && hasMet && now - state.startedAt >= repeatsAfter) return ['match.repeats', {}];
  // 1 stands for one to four, this search among them: it may be alone.
  return hours ?? ['match.few', {}];
}

/**
 * The rows offered after a long wait, in their order. `hasAddress`: other devices can open this site.
 * @param {Search} state
 * @param {{ wish: string, loopback: boolean, now: number, hasAddress?: boolean, patience?: number }} circumstances
 */
export function options(state, { wish, loopback, now, hasAddress = false, patience = 15_000 }) {
  if (state.halted === 'in_room') return ['room'];
  if (['replaced', 'full', 'maintenance', 'notice'].includes(state.halted ?? '')) return [];
  if (!state.heard || now - state.startedAt < patience) return [];
  const rows = [];
  if (wish !== 'all') rows.push('widen');
  if (loopback) rows.push('second');
  if (hasAddress) rows.push('scan');
  if (!loopback) rows.push('share');
  return rows;
}

/** @param {string} hostname */
export function isLoopback(hostname) {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host);
}
