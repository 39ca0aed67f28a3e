// When the operator expects people, as home and the waiting screen say it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { hoursText, stateOfHours, untilHours } from '../../assets/js/ui/hours.js';
import './words.mjs';

const at = (day, hour, minute = 0) => new Date(2026, 11, day, hour, minute).getTime();
// 2026-12-04 is a Friday.
const friday = { from_ms: at(4, 19), to_ms: at(4, 21) };
const plain = (text) => text.replace(/[\u2066-\u2069\u00a0]/g, (char) => (char === '\u00a0' ? ' ' : ''));

test('before, within and after', () => {
  setLanguage('en');
  assert.equal(plain(hoursText(friday, at(2, 19))), 'Open hours: Fri 19:00–21:00, in 2 days. You can search now too.');
  assert.equal(plain(hoursText(friday, at(4, 18, 20))), 'Open hours: Today 19:00–21:00, in 40 minutes. You can search now too.');
  assert.equal(plain(hoursText(friday, at(4, 19))), 'Open hours now, until 21:00.');
  assert.equal(hoursText(friday, at(4, 21)), '', 'the next one is the server’s to say');
  assert.equal(hoursText(null, at(4, 19)), '');
  setLanguage('zh-TW');
  assert.equal(plain(hoursText(friday, at(4, 18))), '開放時間：今天 19:00–21:00，還有 1 小時。想找人現在也可以。');
  assert.equal(plain(untilHours(friday, at(2, 7)).when), '週五 19:00–21:00');
});

test('its state follows the moment', () => {
  assert.deepEqual([at(4, 18), at(4, 19), at(4, 20, 59), at(4, 21)].map((moment) => stateOfHours(friday, moment)), ['later', 'open', 'open', 'none']);
  assert.equal(stateOfHours(null, 0), 'none');
});
