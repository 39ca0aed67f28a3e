// Where the reader was: the line about new messages, frozen at what was read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstNew, followReading, newReading } from '../../assets/js/model/reading.js';
import { logRows } from '../../assets/js/model/rows.js';

const noon = Date.UTC(2026, 0, 5, 12);
const message = (seq, mine = false) => ({ id: String(seq), seq, mine, at: noon + seq * 1000, content: `m${seq}`, recalled: false, clientId: null });
const room = (...messages) => ({ messages, pendingMessages: [], pendingActions: [], partnerRead: 0, anew: false });

/** Steps of a reader: each is a room and whether they look. Answers what the line stands above, each time. */
function follow(reading, ...steps) {
  let now = reading;
  return steps.map(([state, looking]) => {
    now = followReading(now, state, looking);
    return state.messages[firstNew(now, state)]?.seq ?? null;
  });
}

test('the line is frozen at what was read when the reader looked away', () => {
  const [one, two, three] = [room(message(1)), room(message(1), message(2)), room(message(1), message(2), message(3))];
  assert.deepEqual(follow(newReading(0), [one, true], [one, false], [two, false], [three, false], [three, true]), [null, null, 2, 2, 2]);
  // It stays where it is while they read on, and moves when they look away again.
  const four = room(...three.messages, message(4));
  assert.deepEqual(follow(newReading(0), [one, true], [one, false], [two, false], [two, true], [three, true], [three, false], [four, false]), [null, null, 2, 2, 2, null, 4]);
});

test('what comes while the reader looks is not new, nor what came in nothing’s absence', () => {
  const [one, two] = [room(message(1)), room(message(1), message(2))];
  assert.deepEqual(follow(newReading(0), [one, true], [two, true]), [null, null]);
  assert.deepEqual(follow(newReading(0), [one, true], [one, false], [one, true], [two, true]), [null, null, null, null]);
});

test('to answer is to have read: the line goes, and a message of one’s own is never new', () => {
  const two = room(message(1), message(2));
  const answered = room(message(1), message(2), message(3, true));
  const steps = [[room(message(1)), true], [room(message(1)), false], [two, false], [two, true]];
  assert.deepEqual(follow(newReading(0), ...steps, [{ ...two, pendingMessages: [{ clientId: 'a' }] }, true]).at(-1), null);
  assert.deepEqual(follow(newReading(0), ...steps, [answered, true]).at(-1), null);
  assert.deepEqual(follow(newReading(1), [room(message(1), message(2, true)), false]), [null]);
});

test('a reload finds the place again; in a fresh room nothing is new', () => {
  const three = room(message(1), message(2), message(3));
  assert.deepEqual(follow(newReading(1), [three, false], [three, true]), [2, 2]);
  assert.deepEqual(follow(newReading(0), [three, false], [three, true]), [null, null]);
  // The server has lost what was read: places of the old log mean nothing.
  assert.equal(followReading(newReading(9), room(message(1)), false).seen, 1);
});

test('the line stands between the runs of what was read and what was not', () => {
  const state = room(message(1), message(2), message(3));
  const rows = logRows(state, { newFrom: 1 });
  assert.deepEqual(rows.map((row) => row.kind), ['day', 'message', 'new', 'message', 'message']);
  const [one, two, three] = rows.filter((row) => row.kind === 'message');
  assert.deepEqual([one.last, two.first, two.last, three.first], [true, true, false, false]);
  // Of a part of the log it is there only if its message is, and what is before it still ends its run.
  assert.deepEqual(logRows(state, { from: 0, to: 1, newFrom: 1 }).map((row) => row.kind), ['day', 'message']);
  assert.equal(logRows(state, { from: 0, to: 1, newFrom: 1 })[1].last, true);
  assert.deepEqual(logRows(state, { from: 2, newFrom: 1 }).map((row) => row.kind), ['message']);
});
