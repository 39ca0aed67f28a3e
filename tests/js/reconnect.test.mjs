// When a lost socket is opened again: by its close code, and by how often it failed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { comeBack, longestPause, looksBlocked, noteFailure, reached, reconnectDelay, unknownReachability } from '../../assets/js/model/reconnect.js';
import { root } from './sources.mjs';

test('back-off doubles, is capped, and jitters over its whole width', () => {
  assert.equal(reconnectDelay(0, 1006, 1), 500);
  assert.equal(reconnectDelay(3, 1006, 1), 4000);
  assert.equal(reconnectDelay(50, 1006, 1), 20_000);
  assert.equal(reconnectDelay(5, 1006, 0), 0);
  assert.ok(reconnectDelay(0, 1001, 0) > 0);
});

test('some closes are final', () => {
  for (const code of [1008, 1009, 4000, 4004, 4101, 4199]) {
    assert.equal(comeBack(code) === 'never', true);
    assert.equal(reconnectDelay(0, code, 0.5), null);
  }
  for (const code of [1000, 1001, 1006, 4001, 4002, 4200]) assert.equal(comeBack(code) === 'never', false);
});

test('the codes of the protocol mean what its table says', () => {
  const protocol = readFileSync(join(root, 'docs/PROTOCOL.md'), 'utf8');
  const section = protocol.slice(protocol.indexOf('\n## Close codes'), protocol.indexOf('\n## HTTP'));
  const rows = [...section.matchAll(/^\| (\d{4}) \|.*\| ([^|]+) \|$/gm)];
  assert.ok(rows.length >= 10, 'the table is found');
  for (const [, code, advice] of rows) assert.equal(comeBack(Number(code)) === 'never', advice === 'no', `${code}: ${advice}`);
});

test('a code that is not known is judged by its range', () => {
  for (const code of [4100, 4103, 4150, 4199]) assert.equal(comeBack(code), 'never', String(code));
  for (const code of [4200, 4242, 4299]) assert.equal(comeBack(code), 'later', String(code));
  for (const code of [1011, 1012, 1013, 3000, 4003, 4005, 4099, 4300, 4999]) assert.equal(comeBack(code), 'soon', String(code));
});

test('later is not soon, soon is not at once, and all of it is spread over time', () => {
  assert.deepEqual([0, 1].map((random) => reconnectDelay(0, 4200, random)), [30_000, 60_000]);
  assert.deepEqual([0, 1].map((random) => reconnectDelay(0, 4300, random)), [300, 3300]);
  assert.deepEqual([0, 1].map((random) => reconnectDelay(0, 4002, random)), [0, 500]);
  assert.deepEqual([0, 1].map((random) => reconnectDelay(0, 1001, random)), [300, 3300]);
});

test('a way that lets no socket through is told from a server that is away', () => {
  const tries = (reachability, ...times) => times.reduce(noteFailure, reachability);
  assert.equal(looksBlocked(tries(unknownReachability, 0, 500, 1200), 1200), false, 'a server that starts takes its time');
  assert.equal(looksBlocked(tries(unknownReachability, 0, 500, 8000), 8000), true);
  assert.equal(looksBlocked(tries(unknownReachability, 10_000), 10_000), false, 'one attempt proves nothing');
  assert.equal(looksBlocked(tries(reached, 0, 500, 60_000), 60_000), false, 'it was open before: the way is there');
});

test('a block is found as soon as it can be, whatever the pauses are', () => {
  const once = noteFailure(unknownReachability, 100);
  assert.equal(longestPause(once, 100), 8000);
  assert.equal(longestPause(once, 7600), 500);
  for (const now of [8100, 60_000]) assert.equal(longestPause(once, now), null, 'it was looked for');
  assert.equal(longestPause(reached, 100), null);
  assert.equal(longestPause(unknownReachability, 100), null);
});
