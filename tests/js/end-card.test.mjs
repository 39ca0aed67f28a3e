// What the end of a conversation says: who was away, and how long it is still kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, setLanguage, t } from '../../assets/js/lib/i18n.js';
import { durationParts } from '../../assets/js/lib/time.js';
import { isOver } from '../../assets/js/model/room-queries.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { endNote, endTitle } from '../../assets/js/ui/end-card.js';
import { keptFor } from '../../assets/js/ui/privacy.js';
import { catalogues, languages } from './words.mjs';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const partner = { nickname: 'Bao', avatar: '1', mood: 'happy', online: true };
const opening = { action: 'room_state', room_id: 'r', user_id: 'me', partner, active: true, last_seq: 0 };
const ended = (left, state = opening, now = 0) => reduceAll(newRoom('r'), [state, { action: 'user_left', seq: 1, ...left }], now);

test('who was away is told so, and never that it was the other', () => {
  const title = (reason, gone, lang = 'en') => {
    setLanguage(lang);
    return endTitle(ended({ user_id: 'them', reason, gone }));
  };
  assert.equal(title('timeout', 'partner'), 'Bao didn’t come back.');
  assert.equal(title('no_show', 'partner'), 'Bao never arrived.');
  assert.equal(title('timeout', 'partner', 'zh-TW'), 'Bao 沒有再回來。');
  for (const lang of languages) {
    for (const reason of ['timeout', 'no_show']) {
      for (const gone of ['you', 'both']) {
        assert.doesNotMatch(title(reason, gone, lang), /Bao|\bthey\b/i);
        assert.match(title(reason, gone, lang), /\byou\b|你|あなた|ふたり/i);
      }
    }
  }
  assert.equal(title('left', undefined), 'Bao left.');
  assert.equal(title('time_up', undefined), 'Time is up for this chat.');
});

test('until the log says why it is over, nothing is said of who left', () => {
  setLanguage('en');
  const over = reduceAll(newRoom('r'), [{ ...opening, active: false }], 0);
  assert.equal(endTitle(over), 'This chat has ended.');
  assert.equal(isOver(over), true, 'nothing more is to come');
  const coming = reduceAll(newRoom('r'), [{ ...opening, active: false, last_seq: 1 }], 0);
  assert.equal(isOver(coming), false);
  const why = { action: 'user_left', user_id: 'them', reason: 'timeout', gone: 'you', seq: 1 };
  assert.match(endTitle(reduceAll(coming, [why], 0)), /^You were away too long/);
  assert.equal(isOver(reduceAll(coming, [why], 0)), true);
});

test('what is said of a time is never shorter than it is, nor much longer', () => {
  const units = { minutes: minute, hours: hour, days: day };
  const said = (ms) => durationParts(ms).reduce((sum, [count, unit]) => sum + count * units[unit], 0);
  for (let ms = 1000; ms < 400 * day; ms = Math.ceil(ms * 1.013)) {
    assert.ok(said(ms) >= ms, `${ms} is said as ${said(ms)}`);
    assert.ok(said(ms) <= ms * 1.11 + minute, `${ms} is said as ${said(ms)}`);
  }
});

test('times are said as people say them', () => {
  const plain = (ms, lang = 'en') => duration(ms, lang).replaceAll('\u00a0', ' ');
  const wanted = [
    [10 * minute, '10 minutes', '10 分鐘'],
    [80 * minute, '1 hour 20 minutes', '1 小時 20 分鐘'],
    [hour, '1 hour', '1 小時'],
    [61 * minute, '1 hour 1 minute', '1 小時 1 分鐘'],
    [day, '24 hours', '24 小時'],
    [day - 1, '24 hours', '24 小時'],
    [3 * day + hour, '3 days 1 hour', '3 天 1 小時'],
    [30 * day, '30 days', '30 天'],
    [1, '1 minute', '1 分鐘'],
  ];
  for (const [ms, en, zh] of wanted) {
    assert.equal(plain(ms), en);
    assert.equal(plain(ms, 'zh-TW'), zh);
  }
  assert.equal(plain(undefined), 'a while');
  assert.equal(plain(null), 'a while');
});

test('no promise about erasure is made before the operator’s is known', () => {
  setLanguage('en');
  assert.equal(keptFor({ retention_ms: null }), 'a while');
  assert.equal(keptFor({ retention_ms: day }), '24\u00a0hours');
  assert.match(endNote(ended({ user_id: 'them', reason: 'left' }), null, 0), /[Ee]rased in a while/);
});

test('the end says how long it is kept from now on, not from the end on', () => {
  setLanguage('en');
  const live = ended({ user_id: 'them', reason: 'left' });
  assert.match(endNote(live, day, 0), /[Ee]rased in 24\u00a0hours/);
  assert.match(endNote(live, day, 5 * hour), /[Ee]rased in 19\u00a0hours/);
  // Opened again later: the server says what is left.
  const later = ended({ user_id: 'them', reason: 'left' }, { ...opening, active: false, erases_ms: 2 * hour }, 7 * hour);
  assert.match(endNote(later, day, 7 * hour), /[Ee]rased in 2\u00a0hours\./);
});

test('to come back from home is promised of no one who was blocked', () => {
  setLanguage('en');
  const said = { action: 'message_received', seq: 1, message: { id: '1', seq: 1, user_id: 'me', content: 'hi', timestamp: '2026-05-01T10:00:00Z' } };
  const open = reduceAll(newRoom('r'), [{ ...opening, last_seq: 1 }, said], 0);
  const over = reduceAll(open, [{ action: 'user_left', seq: 2, user_id: 'me', reason: 'left' }], 0);
  assert.match(endNote({ ...over, messages: [{ at: 0 }] }, day, 0), /Until then you can read it .* from Home in this tab/);
  assert.equal(endNote({ ...over, messages: [{ at: 0 }], blocked: true }, day, 0), 'Erased in 24\u00a0hours. To unsend your words, do it now.');
});

test('one of something is never several', () => {
  for (const [key, english] of Object.entries(catalogues.en)) {
    const asked = [...english.matchAll(/\{(\w+)/g)].map(([, name]) => [name, 1]);
    const text = t(key, Object.fromEntries(asked), 'en').replaceAll('\u00a0', ' ');
    assert.doesNotMatch(text, /\b1 (minutes|hours|days|messages|characters|people|chats)\b(?! at most)/, key);
  }
});
