// How reports are looked at, as the page of numbers tells it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf, stateOf } from '../../assets/js/model/figures.js';
import { monthText } from '../../assets/js/lib/time.js';

const month = { month: '2026-11', reports: 1, decisions: 0, violations: 0, appeals: 0, overturned: 0, automatic: 0 };

test('small numbers are told, and no time of a single case', () => {
  const lines = linesOf(month);
  assert.deepEqual(lines.map((line) => [line.key, line.count]), [
    ['figures.reports', 1],
    ['figures.decisions', 0],
    ['figures.violations', 0],
    ['figures.automatic', 0],
  ]);
  const more = linesOf({ ...month, decisions: 5, median_ms: 60_000, appeals: 2, overturned: 1 });
  assert.deepEqual(more.find((line) => line.key === 'figures.median'), { key: 'figures.median', ms: 60_000 });
  assert.equal(more.find((line) => line.key === 'figures.overturned')?.count, 1);
});

test('where no operator reads reports the page says so, whatever was before', () => {
  assert.equal(stateOf({ reports_taken: false, months: [month] }), 'figures.off');
  assert.equal(stateOf({ reports_taken: true, months: [] }), 'figures.none');
  assert.equal(stateOf({ reports_taken: true, months: [month] }), null);
});

test('a month is one of UTC, wherever the reader is', () => {
  assert.equal(monthText('2026-11', 'en'), 'November 2026');
  assert.equal(monthText('2026-01', 'zh-TW'), '2026年1月');
});
