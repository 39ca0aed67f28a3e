// The search as data: what the server said last, and which lines and option
// rows follow from it. Pure: `now` is an argument, sockets are in net/.

const fullPatience = 20_000;

export function newSearch(now) {
  return {
    startedAt: now,
    link: 'connecting', // connecting | open | lost | blocked | stopped
    phase: null,
    phaseEndsAt: null,
    waiting: 0,
    unfit: false,
    heard: false,
    halted: null, // null | 'replaced' | 'in_room' | 'rate' | 'store' | 'full'
    roomId: null,
    retryAt: null,
    found: null,
    cancelled: false,
  };
}

export function reduceSearch(state, event, now) {
  switch (event.action) {
    case 'waiting_for_match':
      return {
        ...state,
        heard: true,
        halted: null,
        phase: event.phase ?? state.phase,
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
    case 'link':
      return { ...state, link: event.status, heard: event.status === 'open' ? state.heard : false };
    case 'restart':
      return { ...newSearch(state.startedAt), link: state.link, ...stillFull(state, now) };
    default:
      return state;
  }
}

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
  return state;
}

/** While it is asked again the site counts as full, so that nothing flickers every few seconds. */
const stillFull = (state, now) => (state.halted === 'full' ? { halted: 'full', retryAt: now + fullPatience } : {});

/**
 * Whether a connection that came back by itself goes on searching. Not where
 * another tab searches, and not over an open room: its page may have lost its
 * connection in the same moment, and to search would be to leave it.
 */
export const goesOn = ({ halted }) => !['replaced', 'in_room', 'rate', 'full'].includes(halted);

/**
 * Which sentence stands under the title: a catalogue key and its values.
 * `tags` are the labels of the tags asked for.
 */
export function searchLines(state, tags, now) {
  const seconds = state.phaseEndsAt === null ? null : Math.max(0, Math.ceil((state.phaseEndsAt - now) / 1000));
  if (state.link === 'stopped') return [['match.stopped', {}]];
  if (state.link === 'blocked') return [['net.blocked', {}]];
  if (state.halted === 'replaced') return [['match.replaced', {}]];
  if (state.halted === 'in_room') return [['match.inRoom', {}]];
  if (state.halted === 'rate') return [['err.rate', { s: Math.max(1, Math.ceil((state.retryAt - now) / 1000)) }]];
  if (state.halted === 'full' && state.link !== 'lost') return [['match.full', { s: Math.max(1, Math.ceil((state.retryAt - now) / 1000)) }]];
  if (state.link === 'lost' || state.halted === 'store') return [['match.lost', {}]];
  if (!state.heard) return [['match.connecting', {}]];
  const lines = [];
  if (state.phase === 'shared_tags') {
    lines.push(seconds ? ['match.tags', { tags, s: seconds }] : ['match.tagsSoon', { tags }]);
  } else if (state.phase === 'anyone' && tags) {
    lines.push(['match.anyone', {}]);
  } else if (state.phase === 'anyone' && seconds) {
    lines.push(['match.repeatsSoon', { s: seconds }]);
  } else if (state.phase === 'repeats') {
    lines.push(['match.repeats', {}]);
  }
  lines.push(othersLine(state));
  return lines;
}

function othersLine(state) {
  if (state.unfit) return ['match.nofit', {}];
  if (state.waiting >= 5) return ['match.some', { n: state.waiting }];
  // 1 stands for one to four, this search among them: it may be alone.
  return ['match.few', {}];
}

/** The rows offered to somebody who has waited long, in their order. */
export function options(state, { wish, loopback, now, patience = 15_000 }) {
  if (state.halted === 'in_room') return ['room'];
  if (state.halted === 'replaced' || state.halted === 'full') return [];
  if (!state.heard || now - state.startedAt < patience) return [];
  const rows = [];
  if (wish !== 'all') rows.push('widen');
  rows.push(loopback ? 'second' : 'copy');
  return rows;
}

export function isLoopback(hostname) {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host);
}
