// A conversation as a text file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { dateText } from '../../assets/js/lib/time.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { fileName, transcript } from '../../assets/js/model/transcript.js';
import './words.mjs';

const at = (day, hour, minute) => new Date(2026, 10, day, hour, minute).getTime();
const day = (number) => dateText(at(number, 12, 0), 'zh-TW');
const said = (seq, mine, content, when, more = {}) => ({
  action: 'new_message',
  message: { id: String(seq), seq, sender_id: mine ? 'me' : 'them', sender_nickname: '', content, recalled: false, sent_at_ms: when, client_id: `c-${seq}`, ...more },
});

function room() {
  const events = [
    { action: 'room_state', room_id: 'r', user_id: 'me', partner: { nickname: '想睡的月亮', avatar: '1' }, active: true, last_seq: 0, now_ms: 0 },
    said(1, false, '嗨～\n在嗎', at(29, 23, 58)),
    said(2, true, '在！', at(30, 0, 1), { replied_to: '1', replied_to_content: '嗨～\n在嗎', replied_to_sender: '想睡的月亮' }),
    said(3, false, 'secret', at(30, 0, 2)),
    { action: 'message_recalled', message_id: '3', client_id: 'c-3', seq: 4 },
    said(5, true, 'mine alone', at(30, 0, 3)),
    { action: 'message_deleted', message_id: '5' },
    { action: 'wrote', clientId: 'c-6', content: 'too late', reply: null, at: at(30, 0, 4), failed: 'room_closed' },
  ];
  return reduceAll(newRoom('r'), events, 0);
}

test('times, names and quotes; what was recalled only as recalled, what was deleted here not at all', () => {
  setLanguage('zh-TW');
  const text = transcript(room(), { me: '安靜的天燈', site: '秘語 Miyu', language: 'zh-TW', now: at(30, 0, 10) });
  assert.equal(
    text,
    [
      `秘語 Miyu\n安靜的天燈 和 想睡的月亮 的對話\n存於 ${day(30)} 00:10`,
      `— ${day(29)} —`,
      '23:58  想睡的月亮\n嗨～\n在嗎',
      `— ${day(30)} —`,
      '00:01  安靜的天燈\n> 想睡的月亮: 嗨～\n> 在嗎\n在！',
      '00:02  想睡的月亮 （已收回）',
      '00:04  安靜的天燈 （沒有送出）\ntoo late\n',
    ].join('\n\n'),
  );
  assert.doesNotMatch(text, /secret|mine alone|[\u2066-\u2069]/);
});

test('the file has a name on every system', () => {
  assert.equal(fileName('秘語 Miyu', at(30, 9, 5)), '秘語-Miyu-2026-11-30-0905.txt');
  assert.equal(fileName('../*?', at(30, 9, 5)), 'miyu-2026-11-30-0905.txt');
});
