// Whether the server at the other end of an open socket is alive, from when a
// frame last came. A half-open connection says nothing: only a probe that gets
// no answer shows it. Pure: `now` is an argument, sockets are in net/.

/**
 * @typedef {object} Liveness
 * @property {number | null} heartbeat how long the server is silent at most, once it has said so
 * @property {number} lastFrameAt
 * @property {number | null} probeAt when to probe, because the page has woken up
 * @property {number | null} probedAt when the probe was sent that has no answer yet
 * @property {number} patience how long its answer may take
 */

/** How long an answer may take when the page has just woken up. */
export const wakePatience = 5000;

// What came while the page slept is read first: it says nothing of now.
const drain = 300;
// A page that was frozen looks at the clock before it reads what has come
// meanwhile, and one in the background may look only once a minute.
const frozen = 90_000;
const justNow = 2000;

/** @param {number} now @returns {Liveness} */
export const newLiveness = (now) => ({ heartbeat: null, lastFrameAt: now, probeAt: null, probedAt: null, patience: 0 });

/**
 * Any frame is a sign of life.
 * @param {Liveness} liveness @param {import('./room.js').Frame | null} frame @param {number} now @returns {Liveness}
 */
export function noteFrame(liveness, frame, now) {
  const told = frame?.action === 'alive' ? frame.heartbeat_ms : null;
  return { ...liveness, heartbeat: told > 0 ? told : liveness.heartbeat, lastFrameAt: now, probedAt: null };
}

/** @param {Liveness} liveness @param {number} patience @param {number} now @returns {Liveness} */
export const noteProbe = (liveness, patience, now) => ({ ...liveness, probeAt: null, probedAt: now, patience });

/**
 * The page is looked at again, or its network has changed: what came before that proves nothing.
 * @param {Liveness} liveness @param {boolean} changed @param {number} now @returns {Liveness}
 */
export function wake(liveness, changed, now) {
  const isProbed = liveness.probeAt !== null || (liveness.probedAt !== null && now - liveness.probedAt < liveness.patience);
  if (isProbed || (!changed && now - liveness.lastFrameAt <= justNow)) return liveness;
  return { ...liveness, probeAt: now + drain };
}

/**
 * What the clock says: 'fine', 'probe' (and how long the answer may take), or
 * 'dead'. Twice the heartbeat of silence is the end.
 * @param {Liveness} liveness @param {number} now
 * @returns {{ verdict: 'fine' | 'dead' } | { verdict: 'probe', patience: number }}
 */
export function check({ heartbeat, lastFrameAt, probeAt, probedAt, patience }, now) {
  if (probeAt !== null) return now < probeAt ? { verdict: 'fine' } : { verdict: 'probe', patience: wakePatience };
  if (probedAt !== null) {
    if (now - probedAt < patience) return { verdict: 'fine' };
    return now - probedAt > patience + frozen ? { verdict: 'probe', patience: wakePatience } : { verdict: 'dead' };
  }
  if (heartbeat === null || now - lastFrameAt < 1.5 * heartbeat) return { verdict: 'fine' };
  return { verdict: 'probe', patience: heartbeat / 2 };
}

/**
 * In how many milliseconds to check again; null: not before a frame comes.
 * @param {Liveness} liveness @param {number} now
 */
export function nextCheck({ heartbeat, lastFrameAt, probeAt, probedAt, patience }, now) {
  const at = probeAt ?? (probedAt === null ? heartbeat && lastFrameAt + 1.5 * heartbeat : probedAt + patience);
  return at === null ? null : Math.max(0, at - now);
}
