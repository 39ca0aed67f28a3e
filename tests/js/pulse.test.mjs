// Whether an open socket is alive: when it is asked, and when it counts as dead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, hear, look, newPulse, nextLook, wake, wakePatience } from '../../assets/js/model/pulse.js';

const heartbeat = 25_000;
const alive = { action: 'alive', heartbeat_ms: heartbeat };
const heard = (now = 0) => hear(newPulse(now), alive, now);

/** Looks whenever that is due, as a page that is awake does; answers to questions do not come. */
function silence(pulse, from, until) {
  const seen = [];
  for (let now = from, at = pulse; now <= until; ) {
    const { verdict, patience } = look(at, now);
    if (verdict !== 'fine') seen.push([now, verdict]);
    if (verdict === 'dead') break;
    if (verdict === 'ask') at = ask(at, patience, now);
    const wait = nextLook(at, now);
    if (wait === null) break;
    now += Math.max(1, wait);
  }
  return seen;
}

test('silence is asked about, and after twice the heartbeat it is the end', () => {
  assert.deepEqual(silence(heard(), 0, 100_000), [
    [37_500, 'ask'],
    [50_000, 'dead'],
  ]);
});

test('any frame is a sign of life', () => {
  const pulse = hear(heard(), { action: 'partner_typing' }, 30_000);
  assert.deepEqual(silence(pulse, 30_000, 60_000), []);
  assert.equal(pulse.heartbeat, heartbeat, 'and what the heartbeat is stays known');
});

test('a server that never said how long it is silent may be silent', () => {
  assert.equal(nextLook(newPulse(0), 0), null);
  assert.deepEqual(silence(hear(newPulse(0), { action: 'alive' }, 0), 0, 1e9), []);
});

test('a page that wakes asks, and does not wait long', () => {
  const pulse = wake(heard(), false, 10_000);
  assert.deepEqual(silence(pulse, 10_000, 100_000), [
    [10_300, 'ask'],
    [10_300 + wakePatience, 'dead'],
  ]);
});

test('what came while the page slept does not answer the question it wakes with', () => {
  const pulse = hear(wake(heard(), false, 10_000), alive, 10_001);
  assert.deepEqual(look(pulse, 10_300), { verdict: 'ask', patience: wakePatience });
  const asked = ask(pulse, wakePatience, 10_300);
  assert.deepEqual(look(hear(asked, alive, 10_400), 16_000), { verdict: 'fine' });
});

test('a page that goes away and comes back asks once', () => {
  assert.equal(wake(heard(9000), false, 10_000).askAt, null, 'heard a moment ago');
  assert.equal(wake(heard(9000), true, 10_000).askAt, 10_300, 'but not since the network changed');
  const asked = ask(heard(), wakePatience, 10_000);
  assert.equal(wake(asked, true, 12_000).askAt, null, 'the answer is on its way');
  assert.equal(wake(asked, true, 600_000).askAt, 600_300, 'it was, ten minutes ago');
});

test('a page that was frozen asks before it gives up', () => {
  const asked = ask(heard(), wakePatience, 40_000);
  assert.equal(look(asked, 40_000 + 60_000).verdict, 'dead', 'a hidden page looks once a minute');
  assert.equal(look(asked, 40_000 + 600_000).verdict, 'ask');
});
