// What a report carries, which texts of recalled messages a page still has for it, and what is said of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage, t } from '../../assets/js/lib/i18n.js';
import { claims, helpLines, newlyDecided, outcomeOf, reasons, reportOf, stateKey } from '../../assets/js/model/report.js';
import { canBeReported } from '../../assets/js/model/room-queries.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { catalogues, languages } from './words.mjs';

const partner = { nickname: 'Bao', avatar: '1', mood: 'happy', online: true };
const opening = { action: 'room_state', room_id: 'r', user_id: 'me', partner, active: true, last_seq: 0 };
const say = (seq, by, content, more = {}) => ({
  action: 'new_message',
  message: { id: String(seq), seq, sender_id: by, content, sent_at_ms: 1000 + seq, client_id: `c-${seq}`, proof: content === null ? undefined : `p-${seq}`, ...more },
});
const recall = (id, seq) => ({ action: 'message_recalled', message_id: String(id), seq });
const roomOf = (...events) => reduceAll(newRoom('r'), [opening, ...events], 0);

test('what the other side takes back stays for a report alone, with its proof and time', () => {
  const room = roomOf(say(1, 'them', 'bad'), say(2, 'me', 'mine'), recall(1, 3), recall(2, 4));
  assert.deepEqual(room.messages.map(({ content }) => content), [null, null]);
  assert.deepEqual(claims(room), [{ seq: 1, content: 'bad', proof: 'p-1', sent_at_ms: 1001 }]);
  // Told once more by a log that is read again, it is still there.
  const again = reduceAll(room, [recall(1, 3), say(1, 'them', null, { recalled: true })], 0);
  assert.deepEqual(claims(again), claims(room));
});

test('what a page never had, or cannot prove, is not claimed', () => {
  assert.deepEqual(claims(roomOf(say(1, 'them', null, { recalled: true }))), []);
  assert.deepEqual(claims(roomOf(say(1, 'them', 'bad', { proof: undefined }), recall(1, 2))), [], 'an older server gives no proof');
  assert.deepEqual(claims(roomOf(say(1, 'them', 'still there'))), [], 'what stands is in the log');
  const anew = reduceAll(roomOf(say(1, 'them', 'bad'), recall(1, 2)), [{ ...opening, anew: true }], 0);
  assert.deepEqual(claims(anew), [], 'the log is another one');
});

test('claims fit into a report: the newest that do', () => {
  const many = roomOf(...Array.from({ length: 60 }, (_, at) => say(at + 1, 'them', `bad ${at}`)), ...Array.from({ length: 60 }, (_, at) => recall(at + 1, at + 61)));
  assert.deepEqual(claims(many).map(({ seq }) => seq), Array.from({ length: 50 }, (_, at) => at + 11));
  const long = roomOf(...Array.from({ length: 30 }, (_, at) => say(at + 1, 'them', '界"'.repeat(1000))), ...Array.from({ length: 30 }, (_, at) => recall(at + 1, at + 31)));
  const taken = claims(long);
  assert.equal(taken.at(-1).seq, 30);
  assert.ok(taken.length >= 7 && JSON.stringify(taken).length < 60_000, `${taken.length}`);
  assert.ok(new TextEncoder().encode(JSON.stringify(reportOf(long, { reason: 'spam', note: '界'.repeat(1000), chosen: null }))).length < 64 * 1024);
});

test('a report says where, as which side, why, and about what', () => {
  const room = roomOf(say(1, 'them', 'bad'), say(2, 'them', 'worse'), recall(2, 3));
  const report = reportOf(room, { reason: 'harassment', note: ' so rude \n', chosen: room.messages[0] });
  assert.deepEqual(report, { room: 'r', user_id: 'me', reason: 'harassment', note: 'so rude', messages: ['1'], claims: [{ seq: 2, content: 'worse', proof: 'p-2', sent_at_ms: 1002 }] });
  assert.deepEqual(reportOf(room, { reason: 'other', note: '', chosen: null }).messages, [], 'the conversation');
});

test('a person is reported, not a program, and not oneself', () => {
  assert.equal(canBeReported(roomOf()), true);
  assert.equal(canBeReported(newRoom('r')), false, 'not known yet');
  for (const other of [{ is_bot: true }, { same_session: true }]) {
    assert.equal(canBeReported(reduceAll(newRoom('r'), [{ ...opening, ...other }], 0)), false);
  }
});

test('made before is as good as made; all else says what to do, and in every language', () => {
  for (const code of [null, 'already_reported']) assert.deepEqual(outcomeOf(code), { done: true, text: 'report.thanks' });
  const codes = ['reports_off', 'no_such_room', 'too_many_reports', 'rate_limited', 'too_long', 'unavailable', 'outage', 'not_a_member', 'new_one'];
  for (const code of codes) {
    const { done, text } = outcomeOf(code);
    assert.equal(done, false, code);
    for (const language of languages) assert.ok(catalogues[language][text], `${text} in ${language}`);
  }
});

test('each language knows two ways to get help, and one of them is written', () => {
  for (const language of languages) {
    setLanguage(language);
    const lines = helpLines(t('report.helpLines'));
    assert.equal(lines.length, t('report.helpLines').split('\n').length, `every line in ${language} is one`);
    assert.ok(lines.some(({ href }) => href.startsWith('tel:')), language);
    assert.ok(lines.some(({ href }) => /^(sms:|mailto:|https:)/.test(href)), language);
    for (const reason of reasons) assert.notEqual(t(`report.${reason}`), `report.${reason}`);
  }
});

test('a line of help leads to a number, a mail or a page, and nowhere else', () => {
  const lines = ['call | tel:1', 'page|https://a.example', 'bad|javascript:alert(1)', 'plain|http://a.example', '|tel:2', 'none', ''].join('\n');
  assert.deepEqual(helpLines(lines), [{ label: 'call', href: 'tel:1' }, { label: 'page', href: 'https://a.example' }]);
});

test('an outcome is told once', () => {
  const reports = [
    { report_id: 'a', state: 'decided', acted: true },
    { report_id: 'b', state: 'open' },
    { report_id: 'c', state: 'decided', acted: false },
    { report_id: 'd', state: 'withdrawn' },
  ];
  assert.deepEqual(newlyDecided(reports, ['c']).map(({ report_id: id }) => id), ['a']);
  assert.deepEqual(newlyDecided(reports, ['a', 'c']), []);
  assert.deepEqual(reports.map(stateKey), ['reports.acted', 'reports.open', 'reports.looked', 'reports.withdrawn']);
});
