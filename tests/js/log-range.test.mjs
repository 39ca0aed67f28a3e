// Which part of a long conversation the log holds, and that its rows do not
// depend on which part that is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { indexOf } from '../../assets/js/model/room-queries.js';
import { logRows } from '../../assets/js/model/rows.js';
import { around, goesWithNewest, holds, newer, newest, older, oldest, withoutFuture, withoutPast } from '../../assets/js/model/log-range.js';

const length = 15_000;
const size = ({ from, to }) => Math.min(to, length) - from;

test('from the newest every message is reached upwards, and back down', () => {
  let range = newest(length);
  assert.ok(goesWithNewest(range) && holds(range, length - 1));
  for (let steps = 0; range.from > 0; steps += 1) {
    const next = older(range, length);
    assert.ok(next.from < range.from && next.to > range.from, 'what is read stays');
    assert.ok(size(next) <= 600 && steps < length);
    range = next;
  }
  assert.ok(holds(range, 0) && !goesWithNewest(range));
  while (!goesWithNewest(range)) {
    const next = newer(range, length);
    assert.ok(Math.min(next.to, length) > range.to && next.from < range.to);
    assert.ok(size(next) <= 600);
    range = next;
  }
  assert.ok(holds(range, length - 1));
});

test('the ends of a conversation are the ends of a range', () => {
  assert.deepEqual(newest(3), { from: 0, to: Infinity });
  assert.deepEqual(oldest(3), { from: 0, to: Infinity });
  assert.equal(oldest(length).from, 0);
  assert.deepEqual(around(1, 3), { from: 0, to: Infinity });
  assert.ok(holds(around(7000, length), 7000 - 30) && holds(around(7000, length), 7000 + 30));
});

test('at the newest the past is let go now and then, further up the future is left for later', () => {
  let range = newest(0);
  let changes = 0;
  for (let now = 1; now <= 5000; now += 1) {
    const next = withoutPast(range, now);
    if (next !== range) changes += 1;
    range = next;
    assert.ok(now - range.from <= 360 && goesWithNewest(range));
  }
  assert.ok(changes < 50, 'rarely');
  const reading = { from: 100, to: Infinity };
  assert.equal(withoutFuture(reading, 700), reading);
  assert.deepEqual(withoutFuture(reading, 701), { from: 100, to: 700 });
});

const noon = new Date(2026, 4, 1, 12, 0).getTime();
const message = (seq) => ({
  action: 'new_message',
  message: { id: String(seq), seq, sender_id: seq % 5 < 3 ? 'me' : 'them', content: `m${seq}`, replied_to: null, client_id: `c${seq}`, sent_at_ms: noon + seq * 50_000 * (seq % 7) },
});
const room = (...events) => reduceAll(newRoom('r'), [{ action: 'room_state', user_id: 'me', partner: { nickname: 'x' }, last_seq: 0, partner_read: 30 }, ...events], noon);

test('the rows of a part are a part of the rows', () => {
  const written = { action: 'wrote', clientId: 'p', content: 'p', at: noon + 1e9 };
  const state = room(...Array.from({ length: 60 }, (_, at) => message(at + 1)), written);
  const all = logRows(state);
  const first = all.filter((row) => row.kind === 'message');
  for (const [from, to] of [[0, 60], [0, 7], [13, 29], [59, 60], [40, Infinity]]) {
    const part = logRows(state, { from, to });
    const begin = all.indexOf(first[from]) - (all[all.indexOf(first[from]) - 1]?.kind === 'day' ? 1 : 0);
    assert.deepEqual(part, all.slice(begin, begin + part.length), `${from} to ${to}`);
    const messages = part.filter((row) => row.kind === 'message').length;
    assert.equal(messages, to >= 60 ? 61 - from : to - from);
  }
});

test('a message is found by its id, whatever ids are', () => {
  const { messages } = room(...[1, 2, 5, 9].map(message));
  assert.deepEqual(['1', '2', '5', '9', '3', 'x'].map((id) => indexOf(messages, id)), [0, 1, 2, 3, -1, -1]);
  const named = messages.map((item) => ({ ...item, id: `n${item.seq}` }));
  assert.deepEqual(['n1', 'n9', '9'].map((id) => indexOf(named, id)), [0, 3, -1]);
});
