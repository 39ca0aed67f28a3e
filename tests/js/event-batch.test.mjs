import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

globalThis.document = { hidden: true };
const { createEventBatch } = await import('../../assets/js/pages/room-state.js');

function batchOf(awaited) {
  const batches = [];
  const batch = createEventBatch({ awaitedSeq: () => awaited, onBatch: (events) => batches.push(events.length) });
  return { batch, batches };
}

const message = (seq) => ({ action: 'new_message', message: { seq } });

test('a history is handed on once, as soon as its last entry has come', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { batch, batches } = batchOf(500);
  for (let seq = 1; seq < 500; seq += 1) batch.push(message(seq));
  mock.timers.tick(300);
  assert.deepEqual(batches, []);
  batch.push(message(500));
  mock.timers.tick(60);
  assert.deepEqual(batches, [500]);
  mock.timers.tick(5000);
  assert.deepEqual(batches, [500]);
  mock.timers.reset();
});

test('what has come of a slow history is handed on after a while', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { batch, batches } = batchOf(500);
  batch.push(message(1));
  batch.push({ action: 'partner_typing', is_typing: true });
  mock.timers.tick(600);
  assert.deepEqual(batches, [2]);
  batch.push({ action: 'message_recalled', message_id: '1', seq: 2 });
  mock.timers.tick(599);
  assert.deepEqual(batches, [2]);
  mock.timers.tick(1);
  assert.deepEqual(batches, [2, 1]);
  mock.timers.reset();
});

test('without a history what comes is handed on at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { batch, batches } = batchOf(0);
  batch.push(message(9));
  batch.push({ action: 'partner_typing', is_typing: false });
  mock.timers.tick(60);
  assert.deepEqual(batches, [2]);
  mock.timers.reset();
});
