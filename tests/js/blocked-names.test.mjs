// What a browser remembers of people it blocked, beside the server's list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockRows, readNames, stillBlocked, withName, withoutName } from '../../assets/js/model/blocked-names.js';

const day = 24 * 3600_000;
const moon = { room: 'r1', name: '月亮', avatar: '1', at: 10 * day };
const lamp = { room: 'r2', name: 'Lamp', avatar: '4', at: 11 * day };

test('the list is the server’s, the names are this browser’s', () => {
  const names = withName(withName([], moon), lamp);
  const blocks = [{ room_id: 'r3', since_ms: 12 * day }, { room_id: 'r1', since_ms: 10 * day }];
  assert.deepEqual(blockRows(blocks, names), [
    { room: 'r3', name: null, avatar: null, at: 12 * day },
    { room: 'r1', name: '月亮', avatar: '1', at: 10 * day },
  ]);
  assert.deepEqual(withoutName(names, 'r2'), [moon]);
  assert.deepEqual(withName(names, { ...moon, name: 'again' }).length, 2, 'asked for twice, kept once');
});

test('a name goes with its block, and waits for one that is on its way', () => {
  const names = [lamp, moon];
  assert.deepEqual(stillBlocked(names, [{ room_id: 'r1', since_ms: 0 }], 20 * day), [moon]);
  assert.deepEqual(stillBlocked(names, [], 11.5 * day), [lamp]);
  assert.deepEqual(stillBlocked(names, [], 13 * day), []);
});

test('what is stored may be anything', () => {
  for (const junk of [null, 'x', { room: 'r' }]) assert.deepEqual(readNames(junk), []);
  assert.deepEqual(readNames([moon, { room: 1 }, null]), [moon]);
});
