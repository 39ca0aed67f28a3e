// What turns measurements into the table of docs/BENCHMARKS.md: run as a
// program, on measurements that are made up.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const SCRIPT = new URL('../../scripts/lib/bench-report.mjs', import.meta.url).pathname;
const PAGE = 'Before.\n<!-- figures: written by scripts/bench -->\nformer figures\n<!-- end of figures -->\nAfter.\n';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-report-'));
  writeFileSync(join(folder, 'BENCHMARKS.md'), PAGE);
});
afterEach(() => rmSync(folder, { recursive: true }));

const measured = (name, ...lines) =>
  writeFileSync(join(folder, `${name}.jsonl`), lines.map((it) => `${JSON.stringify(it)}\n`).join(''));

const run = (...words) => spawnSync(process.execPath, [SCRIPT, ...words], { encoding: 'utf8' });
const report = () => run('report', folder, folder);
const check = () => run('check', folder);
const figures = () => readFileSync(join(folder, 'BENCHMARKS.md'), 'utf8');

/** The page after a report; the row that begins with this. */
const page = () => {
  const { status, stderr } = report();
  assert.equal(status, 0, stderr);
  return figures();
};
const row = (begin) => page().split('\n').find((it) => it.startsWith(`| ${begin}`));

/** A round of pairs: what it cost, how many messages a second, how busy the client was. */
const talk = (subject, cost, rate, busy = 0.5) => ({
  subject,
  server_cpu_us_per_message: cost,
  messages_per_second: rate,
  client_cores_busy: busy,
  acknowledged_ms: { p50: 1, p99: 2 },
  lost: 0,
  broken: 0,
});

const RATE = 'messages a second, the same; server on one core';

test('only the figures of the page are written anew', () => {
  measured('pairs', talk('miyu', 6, 150), talk('relay', 10, 100));
  const text = page();
  assert.match(text, /^Before\.\n/);
  assert.match(text, /\nAfter\.\n$/);
  assert.doesNotMatch(text, /former figures/);
});

test('a ratio is of one round, and the table has the middle one', () => {
  measured(
    'pairs',
    talk('miyu', 6, 140), talk('relay', 10, 100),
    // The machine was twice as fast: the ratio is the same.
    talk('relay', 5, 200), talk('miyu', 3, 280),
    talk('miyu', 6, 300), talk('relay', 10, 100),
  );
  assert.equal(row(RATE), `| ${RATE} | ≥ 0.7 × bare | 1.4 × | 1.4 – 3 | 3 | yes |`);
});

test('the middle of an even number of rounds is between two', () => {
  measured('pairs', talk('miyu', 6, 40), talk('relay', 10, 100), talk('miyu', 6, 80), talk('relay', 10, 100));
  assert.equal(row(RATE), `| ${RATE} | ≥ 0.7 × bare | 0.6 × | 0.4 – 0.8 | 2 | **no** |`);
});

test('a round without the figure is no round', () => {
  measured('pairs', talk('miyu', null, 80), talk('relay', 10, 100));
  assert.match(row('processor time of the server, one message'), /not measured/);
});

test('a rate at which the client had no time left is marked', () => {
  measured('pairs', talk('miyu', 6, 80), talk('relay', 10, 100, 0.99));
  assert.match(row(RATE), /\| 0\.8 × † \|/);
});

test('what was not measured is not there, and nothing is claimed of it', () => {
  assert.match(row('people paired a second, 4,000'), /not measured/);
  assert.doesNotMatch(page(), /\| yes \|/);
});

for (const [fault, value] of Object.entries({ lost: 1, doubled: 2, broken: 1, rooms_not_of_two: 1, closed: true })) {
  test(`a run with ${fault} gives no figures`, () => {
    measured('pairs', talk('miyu', 6, 150), { ...talk('relay', 10, 100), [fault]: value });
    for (const command of [report, check]) {
      const { status, stderr } = command();
      assert.notEqual(status, 0);
      assert.match(stderr, /pairs\.jsonl: something failed; measure this again/);
    }
    assert.equal(figures(), PAGE);
  });
}

test('a part of the bare relay\'s rate is said, and that it must be measured first', () => {
  assert.match(run('rate', folder, '0.35').stderr, /measure the scene pairs first/);
  measured('pairs', talk('miyu', 6, 150), talk('relay', 10, 1000), talk('tuned', 3, 9000));
  assert.equal(run('rate', folder, '0.35').stdout.trim(), '350');
});
