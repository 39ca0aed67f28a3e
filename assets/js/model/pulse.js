// Whether the server at the other end of an open socket is alive, from when it
// was last heard. A half-open connection says nothing: only a question that
// gets no answer shows it. Pure: `now` is an argument, sockets are in net/.

/** How long an answer may take when the page has just woken up. */
export const wakePatience = 5000;

// What came while the page slept is read first: it says nothing of now.
const drain = 300;
// A page that was frozen looks at the clock before it reads what has come
// meanwhile, and one in the background may look only once a minute.
const frozen = 90_000;
const justNow = 2000;

export const newPulse = (now) => ({
  heartbeat: null, // how long the server is silent at most, once it has said so
  heardAt: now,
  askAt: null, // when to ask, because the page has woken up
  askedAt: null, // when an answer was asked for that has not come
  patience: 0, // how long it may take
});

/** Any frame is a sign of life. */
export function hear(pulse, frame, now) {
  const told = frame?.action === 'alive' ? frame.heartbeat_ms : null;
  return { ...pulse, heartbeat: told > 0 ? told : pulse.heartbeat, heardAt: now, askedAt: null };
}

export const ask = (pulse, patience, now) => ({ ...pulse, askAt: null, askedAt: now, patience });

/** The page is looked at again, or its network has changed: what was heard before that proves nothing. */
export function wake(pulse, changed, now) {
  const isAsked = pulse.askAt !== null || (pulse.askedAt !== null && now - pulse.askedAt < pulse.patience);
  if (isAsked || (!changed && now - pulse.heardAt <= justNow)) return pulse;
  return { ...pulse, askAt: now + drain };
}

/**
 * What a look at the clock says: 'fine', 'ask' (and how long the answer may
 * take), or 'dead'. Twice the heartbeat of silence is the end.
 */
export function look({ heartbeat, heardAt, askAt, askedAt, patience }, now) {
  if (askAt !== null) return now < askAt ? { verdict: 'fine' } : { verdict: 'ask', patience: wakePatience };
  if (askedAt !== null) {
    if (now - askedAt < patience) return { verdict: 'fine' };
    return now - askedAt > patience + frozen ? { verdict: 'ask', patience: wakePatience } : { verdict: 'dead' };
  }
  if (heartbeat === null || now - heardAt < 1.5 * heartbeat) return { verdict: 'fine' };
  return { verdict: 'ask', patience: heartbeat / 2 };
}

/** In how many milliseconds to look again; null: not before something is heard. */
export function nextLook({ heartbeat, heardAt, askAt, askedAt, patience }, now) {
  if (heartbeat === null && askAt === null && askedAt === null) return null;
  return Math.max(0, (askAt ?? (askedAt === null ? heardAt + 1.5 * heartbeat : askedAt + patience)) - now);
}
