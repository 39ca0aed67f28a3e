// Whether an open socket is alive: when it is asked, and when it counts as dead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, newLiveness, nextCheck, noteFrame, noteProbe, wake, wakePatience } from '../../assets/js/model/liveness.js';

const heartbeat = 25_000;
const alive = { action: 'alive', heartbeat_ms: heartbeat };
const heard = (now = 0) => noteFrame(newLiveness(now), alive, now);

/** Looks whenever that is due, as a page that is awake does; answers to questions do not come. */
function silence(liveness, from, until) {
  const seen = [];
  for (let now = from, at = liveness; now <= until; ) {
    const { verdict, patience } = check(at, now);
    if (verdict !== 'fine') seen.push([now, verdict]);
    if (verdict === 'dead') break;
    if (verdict === 'probe') at = noteProbe(at, patience, now);
    const wait = nextCheck(at, now);
    if (wait === null) break;
    now += Math.max(1, wait);
  }
  return seen;
}

test('silence is asked about, and after twice the heartbeat it is the end', () => {
  assert.deepEqual(silence(heard(), 0, 100_000), [
    [37_500, 'probe'],
    [50_000, 'dead'],
  ]);
});

test('any frame is a sign of life', () => {
  const liveness = noteFrame(heard(), { action: 'partner_typing' }, 30_000);
  assert.deepEqual(silence(liveness, 30_000, 60_000), []);
  assert.equal(liveness.heartbeat, heartbeat, 'and what the heartbeat is stays known');
});

test('a server that never said how long it is silent may be silent', () => {
  assert.equal(nextCheck(newLiveness(0), 0), null);
  assert.deepEqual(silence(noteFrame(newLiveness(0), { action: 'alive' }, 0), 0, 1e9), []);
});

test('a page that wakes asks, and does not wait long', () => {
  const liveness = wake(heard(), false, 10_000);
  assert.deepEqual(silence(liveness, 10_000, 100_000), [
    [10_300, 'probe'],
    [10_300 + wakePatience, 'dead'],
  ]);
});

test('what came while the page slept does not answer the question it wakes with', () => {
  const liveness = noteFrame(wake(heard(), false, 10_000), alive, 10_001);
  assert.deepEqual(check(liveness, 10_300), { verdict: 'probe', patience: wakePatience });
  const asked = noteProbe(liveness, wakePatience, 10_300);
  assert.deepEqual(check(noteFrame(asked, alive, 10_400), 16_000), { verdict: 'fine' });
});

test('a page that goes away and comes back asks once', () => {
  assert.equal(wake(heard(9000), false, 10_000).probeAt, null, 'heard a moment ago');
  assert.equal(wake(heard(9000), true, 10_000).probeAt, 10_300, 'but not since the network changed');
  const asked = noteProbe(heard(), wakePatience, 10_000);
  assert.equal(wake(asked, true, 12_000).probeAt, null, 'the answer is on its way');
  assert.equal(wake(asked, true, 600_000).probeAt, 600_300, 'it was, ten minutes ago');
});

test('a page that was frozen asks before it gives up', () => {
  const asked = noteProbe(heard(), wakePatience, 40_000);
  assert.equal(check(asked, 40_000 + 60_000).verdict, 'dead', 'a hidden page looks once a minute');
  assert.equal(check(asked, 40_000 + 600_000).verdict, 'probe');
});
