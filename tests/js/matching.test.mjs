// The search as data, and when a lost socket may come back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goesOn, isLoopback, newSearch, options, reduceSearch, searchLine } from '../../assets/js/model/matching.js';
import { dayName, minutesSeconds } from '../../assets/js/lib/time.js';

const open = (event, now = 0) => reduceSearch(reduceSearch(newSearch(0), { action: 'connection', status: 'open' }, 0), event, now);
const waiting = (more) => ({ action: 'waiting_for_match', phase: 'anyone', phase_ends_ms: null, waiting: 1, unfit: false, ...more });
const key = (state, tags = '', now = 0, more = {}) => searchLine(state, tags, now, more)[0];

test('the countdown of relaxing starts from a duration', () => {
  const state = open(waiting({ phase: 'shared_tags', phase_ends_ms: 10_000 }), 5000);
  assert.deepEqual(searchLine(state, '音樂', 7500), ['match.tags', { tags: '音樂', s: 8 }]);
  assert.equal(key(state, '音樂', 20_000), 'match.tagsSoon');
  assert.deepEqual(searchLine(state, '', 7500), ['match.alike', { s: 8 }]);
  assert.equal(key(state, '', 20_000), 'match.alikeSoon');
});

test('each situation has its one sentence', () => {
  assert.equal(key(newSearch(0)), 'match.connecting');
  assert.equal(key(open(waiting())), 'match.few');
  assert.equal(key(open(waiting({ phase: 'repeats', waiting: 10, unfit: true }))), 'match.nofit');
  assert.equal(key(open(waiting({ waiting: 1 }))), 'match.few');
  assert.equal(key(open(waiting({ waiting: 15 }))), 'match.some');
  assert.equal(key(open({ action: 'replaced' })), 'match.replaced');
  assert.equal(key(open({ action: 'in_room', room_id: 'r' })), 'match.inRoom');
  assert.equal(key(open({ action: 'error', code: 'rate_limited', retry_after_ms: 2000 })), 'err.rate');
  assert.equal(key(open({ action: 'connection', status: 'lost' })), 'match.lost');
  assert.equal(key(open({ action: 'connection', status: 'blocked' })), 'net.blocked');
});

test('that anyone may come now is news for a moment, to who asked for a topic', () => {
  const first = open(waiting({ phase: 'shared_tags', phase_ends_ms: 10_000 }));
  const state = reduceSearch(first, waiting(), 10_000);
  assert.equal(key(state, '音樂', 12_000), 'match.anyone');
  assert.equal(key(state, '', 12_000), 'match.few');
  const told = reduceSearch(state, waiting({ waiting: 10 }), 15_000);
  assert.equal(key(told, '音樂', 17_999), 'match.anyone', 'another number of people is no other phase');
  assert.equal(key(told, '音樂', 18_000), 'match.some');
});

test('that people met before may come is said to who met some, and not right after', () => {
  const state = open(waiting({ phase: 'repeats' }), 20_000);
  assert.equal(key(state, '', 30_000, { hasMet: true }), 'match.few');
  assert.equal(key(state, '', 60_000, { hasMet: true }), 'match.repeats');
  assert.equal(key(state, '', 600_000), 'match.few');
});

test('when more people come is said where there is nothing else to say', () => {
  const hours = ['match.hours', { when: 'Fri', t: '2 hours' }];
  assert.deepEqual(searchLine(open(waiting()), '', 0, { hours }), hours);
  for (const event of [waiting({ waiting: 20 }), waiting({ unfit: true }), { action: 'replaced' }, waiting({ phase: 'shared_tags' })]) assert.notEqual(key(open(event), '', 0, { hours }), 'match.hours');
});

test('a site that is full says so, asks again by itself, and does not flicker meanwhile', () => {
  const full = open({ action: 'error', code: 'site_full', retry_after_ms: 18_000 }, 1000);
  assert.deepEqual(searchLine(full, '', 2000), ['match.full', { s: 17 }]);
  assert.equal(full.retryAt, 19_000);
  assert.equal(goesOn(full), false, 'a connection that came back keeps to the time it was told');
  assert.deepEqual(options(full, { wish: 'male', loopback: true, now: 60_000 }), []);
  const again = reduceSearch(full, { action: 'restart' }, 19_000);
  assert.equal(key(again, '', 19_000), 'match.full');
  assert.ok(again.retryAt > 19_000);
  assert.equal(key(reduceSearch(again, { action: 'connection', status: 'lost' }, 19_500)), 'match.lost');
  assert.equal(key(reduceSearch(again, waiting(), 20_000)), 'match.few');
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

test('a search that has to wait for a notice, or for the end of maintenance, asks for nothing by itself', () => {
  const pending = open({ action: 'error', code: 'notice_pending', notice_id: 'n' });
  assert.equal(key(pending), 'match.notice');
  assert.equal(goesOn(pending), false, 'to ask again would be to say that it was read');
  assert.deepEqual(options(pending, { wish: 'male', loopback: false, now: 60_000 }), []);
  const closed = open({ action: 'error', code: 'maintenance', retry_after_ms: 3_600_000 }, 1000);
  assert.deepEqual([key(closed), closed.retryAt, goesOn(closed)], ['app.maintenance', 61_000, false], 'it may be over sooner');
  const again = reduceSearch(closed, { action: 'restart' }, 61_000);
  assert.equal(key(again), 'app.maintenance', 'nothing flickers');
  assert.equal(key(reduceSearch(again, waiting(), 62_000)), 'match.few');
});
