// The search as data, and when a lost socket may come back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goesOn, isLoopback, newSearch, options, reduceSearch, searchLines } from '../../assets/js/model/matching.js';
import { dayName, minutesSeconds } from '../../assets/js/lib/time.js';

const open = (event, now = 0) => reduceSearch(reduceSearch(newSearch(0), { action: 'connection', status: 'open' }, 0), event, now);
const waiting = (more) => ({ action: 'waiting_for_match', phase: 'anyone', phase_ends_ms: null, waiting: 1, unfit: false, ...more });
const keys = (state, tags = '', now = 0) => searchLines(state, tags, now).map(([key]) => key);

test('the countdown of relaxing starts from a duration', () => {
  const state = open(waiting({ phase: 'shared_tags', phase_ends_ms: 10_000 }), 5000);
  assert.deepEqual(searchLines(state, '音樂', 7500)[0], ['match.tags', { tags: '音樂', s: 8 }]);
  assert.deepEqual(keys(state, '音樂', 20_000)[0], 'match.tagsSoon');
  assert.deepEqual(searchLines(state, '', 7500)[0], ['match.alike', { s: 8 }]);
  assert.deepEqual(keys(state, '', 20_000)[0], 'match.alikeSoon');
});

test('each situation has its sentence', () => {
  assert.deepEqual(keys(newSearch(0)), ['match.connecting']);
  assert.deepEqual(keys(open(waiting())), ['match.few']);
  assert.deepEqual(keys(open(waiting()), '音樂'), ['match.anyone', 'match.few']);
  assert.deepEqual(keys(open(waiting({ phase: 'repeats', waiting: 10, unfit: true }))), ['match.repeats', 'match.nofit']);
  assert.deepEqual(keys(open(waiting({ waiting: 1 }))), ['match.few']);
  assert.deepEqual(keys(open(waiting({ waiting: 15 }))), ['match.some']);
  assert.deepEqual(keys(open({ action: 'replaced' })), ['match.replaced']);
  assert.deepEqual(keys(open({ action: 'in_room', room_id: 'r' })), ['match.inRoom']);
  assert.deepEqual(keys(open({ action: 'error', code: 'rate_limited', retry_after_ms: 2000 })), ['err.rate']);
  assert.deepEqual(keys(open({ action: 'connection', status: 'lost' })), ['match.lost']);
  assert.deepEqual(keys(open({ action: 'connection', status: 'blocked' })), ['net.blocked']);
});

test('a site that is full says so, asks again by itself, and does not flicker meanwhile', () => {
  const full = open({ action: 'error', code: 'site_full', retry_after_ms: 18_000 }, 1000);
  assert.deepEqual(searchLines(full, '', 2000), [['match.full', { s: 17 }]]);
  assert.equal(full.retryAt, 19_000);
  assert.equal(goesOn(full), false, 'a connection that came back keeps to the time it was told');
  assert.deepEqual(options(full, { wish: 'male', loopback: true, now: 60_000 }), []);
  const again = reduceSearch(full, { action: 'restart' }, 19_000);
  assert.deepEqual(keys(again, '', 19_000), ['match.full']);
  assert.ok(again.retryAt > 19_000);
  assert.deepEqual(keys(reduceSearch(again, { action: 'connection', status: 'lost' }, 19_500)), ['match.lost']);
  assert.deepEqual(keys(reduceSearch(again, waiting(), 20_000)), ['match.few']);
});

test('what is offered, and only after a while', () => {
  const state = open(waiting());
  const at = (now, more) => options(state, { wish: 'all', loopback: true, now, ...more });
  assert.deepEqual(at(14_999), []);
  assert.deepEqual(at(15_000), ['second']);
  assert.deepEqual(at(15_000, { wish: 'male', loopback: false }), ['widen', 'share']);
  assert.deepEqual(at(15_000, { hasAddress: true }), ['second', 'scan'], 'also for a browser of this machine');
  assert.deepEqual(at(15_000, { hasAddress: true, loopback: false }), ['scan', 'share']);
  assert.deepEqual(options(open({ action: 'in_room', room_id: 'r' }), { wish: 'all', loopback: true, now: 0 }), ['room']);
});

test('a later frame of waiting lifts a halt', () => {
  const halted = open({ action: 'error', code: 'rate_limited' });
  assert.equal(reduceSearch(halted, waiting(), 0).halted, null);
});

test('the time waited goes on from the first start, whatever happens', () => {
  const events = [waiting(), { action: 'connection', status: 'lost' }, { action: 'connection', status: 'open' }, waiting({ phase: 'shared_tags', phase_ends_ms: 9000 }), { action: 'replaced' }, { action: 'restart' }];
  const state = events.reduce((before, event, index) => reduceSearch(before, event, 1000 * index), newSearch(7));
  assert.equal(state.startedAt, 7);
});

test('a connection that came back by itself takes over nothing', () => {
  assert.equal(goesOn(newSearch(0)), true);
  assert.equal(goesOn(open(waiting())), true);
  for (const halt of [{ action: 'replaced' }, { action: 'in_room', room_id: 'r' }, { action: 'error', code: 'rate_limited' }]) {
    const halted = open(halt);
    assert.equal(goesOn(reduceSearch(halted, { action: 'connection', status: 'open' }, 0)), false, halt.action);
    assert.equal(goesOn(reduceSearch(halted, { action: 'restart' }, 0)), true, 'a press does');
  }
});

test('loopback has several names', () => {
  for (const name of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]']) assert.equal(isLoopback(name), true, name);
  for (const name of ['example.org', '192.168.1.2', 'localhost.example.org', '127.0.0.1.example.org']) assert.equal(isLoopback(name), false, name);
});

test('time in words', () => {
  assert.equal(minutesSeconds(84_999), '1:24');
  assert.equal(minutesSeconds(-5), '0:00');
  const now = new Date(2026, 4, 2, 0, 5).getTime();
  assert.equal(dayName(now, now), 'today');
  assert.equal(dayName(now - 600_000, now), 'yesterday');
  assert.equal(dayName(now - 3 * 86_400_000, now), null);
});
