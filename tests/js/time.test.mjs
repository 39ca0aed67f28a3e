// What time it is on a device whose own clock is wrong.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { clock, dayName, momentText, now, sameDay, syncClock, monotonicNow, untilText } from '../../assets/js/lib/time.js';

const day = 24 * 3_600_000;
const noon = new Date(2026, 4, 2, 12, 0).getTime();

test('a wrong clock is put right by the server, a right one is left alone', () => {
  mock.timers.enable({ apis: ['Date'], now: noon });
  for (const wrong of [day, -day, 20_000, -20_000]) {
    syncClock(noon - wrong);
    assert.equal(now(), noon - wrong);
    mock.timers.setTime(noon + 1000);
    assert.equal(now(), noon - wrong + 1000, 'and goes on');
    mock.timers.setTime(noon);
  }
  syncClock(noon + 900);
  assert.equal(now(), noon, 'the network takes its time, and a header tells whole seconds');
  syncClock(noon + day);
  syncClock(NaN);
  assert.equal(now(), noon + day, 'who says nothing changes nothing');
  syncClock(noon);
  mock.timers.reset();
});

test('a clock that is set does not change how long something takes', () => {
  const begun = monotonicNow();
  mock.timers.enable({ apis: ['Date'], now: noon });
  assert.ok(monotonicNow() - begun < 60_000);
  mock.timers.setTime(noon + day);
  assert.ok(monotonicNow() - begun < 60_000);
  mock.timers.reset();
});

test('days are days of the calendar', () => {
  assert.ok(sameDay(noon, noon + 11 * 3_600_000));
  assert.ok(!sameDay(noon, noon + 12 * 3_600_000));
  assert.deepEqual([0, -day, -2 * day].map((apart) => dayName(noon + apart, noon)), ['today', 'yesterday', null]);
});

test('what holds until a moment is never said to end sooner', () => {
  mock.timers.enable({ apis: ['Date'], now: noon });
  syncClock(noon);
  assert.equal(untilText(noon + 3_600_000, 'en'), '13:00');
  assert.equal(untilText(noon + 3_600_001, 'en'), '13:01');
  const midnight = noon + day / 2;
  assert.match(untilText(midnight - 1, 'en'), /May 3.* 00:00$/, 'the last minute of today ends tomorrow');
  // The same day of another year is not today, nor this year.
  const nextYear = new Date(2027, 4, 2, 12, 0).getTime();
  assert.match(untilText(nextYear, 'en'), /2027.* 12:00$/);
  assert.match(momentText(new Date(2025, 11, 31, 9, 5).getTime(), 'zh-TW'), /^2025.* 09:05$/);
  assert.doesNotMatch(untilText(noon + 30 * day, 'en'), /2026/);
  assert.equal(clock(noon), '12:00');
  mock.timers.reset();
});
