// What the log announces, and that it leaves alone what did not change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { mountLog } from '../../assets/js/ui/log.js';
import { announced, installPage, logPage } from './page.mjs';
import './words.mjs';

installPage();
const noon = new Date(2026, 4, 1, 12, 0).getTime();
const partner = { nickname: '月亮', avatar: '1', mood: 'happy', online: true };
const opening = { action: 'room_state', room_id: 'r', user_id: 'me', partner, active: true, last_seq: 0 };
const wrote = (clientId, more) => ({ action: 'wrote', clientId, content: clientId, at: noon, ...more });
const stored = (seq, sender, clientId, more) => ({
  action: 'new_message',
  message: { id: String(seq), seq, sender_id: sender, content: clientId, replied_to: null, client_id: clientId, sent_at_ms: noon, ...more },
});

/** A log on a page; each call folds events, and gives what was announced. */
function log() {
  setLanguage('en');
  const { main, rows } = logPage();
  const ui = mountLog(main, { onSeen() {} });
  let state = newRoom('r');
  const show = (...events) => fold(events, false);
  const fold = (events, still) => {
    announced.length = 0;
    state = reduceAll(state, events, noon);
    ui.update(state, { still, names: { partner: partner.nickname, bot: false }, added: still ? 0 : events.filter(({ message }) => message?.sender_id === 'them').length });
    return [...announced];
  };
  show(opening);
  const messages = () => rows.childNodes.filter((node) => node.classList.contains('message'));
  const comeBack = (newFrom) => ui.update(state, { still: false, names: { partner: partner.nickname, bot: false }, newFrom, away: true });
  return { ui, main, show, fold, comeBack, rows, messages, message: (at) => messages()[at] };
}

test('a new message is announced once, with its sender', () => {
  const said = log().show(stored(1, 'them', 'hello'));
  assert.equal(said.filter((text) => text.includes('月亮: hello, 12:00')).length, 1);
});

test('sent, read, no longer the newest: nothing of it is announced, all of it is shown', () => {
  const one = log();
  one.show(wrote('a'));
  const node = one.message(0);
  const bubble = node.querySelector('.bubble');
  const inside = bubble.descendants();
  const steps = [
    [stored(1, 'me', 'a', { sent_at_ms: noon + 61_000 }), 'sent', '12:01Sent'],
    [{ action: 'partner_read', seq: 1 }, 'read', '12:01Read'],
  ];
  for (const [event, state, meta] of steps) {
    assert.deepEqual(one.show(event), [], state);
    assert.equal(node.dataset.state, state);
    assert.equal(node.querySelector('.meta').textContent, meta);
  }
  assert.equal(bubble.textContent, 'You: a, 12:01');
  assert.equal(one.message(0), node);
  assert.equal(node.querySelector('.bubble'), bubble);
  assert.equal(bubble.querySelector('.bubble-text'), inside.find((part) => part.className === 'bubble-text'));
  const said = one.show(wrote('b', { at: noon + 61_000 }));
  assert.ok(said.every((text) => !text.includes('You: a')), said.join('|'));
  assert.equal(node.querySelector('.meta'), null, 'the run goes on below');
});

test('a failure is said by the status region alone, and retrying is silent', () => {
  const one = log();
  one.show(wrote('a'));
  assert.deepEqual(one.show({ action: 'error', code: 'too_long', client_id: 'a' }), []);
  assert.match(one.message(0).querySelector('.meta-failed').textContent, /Not sent/);
  assert.deepEqual(one.show({ action: 'retry', clientId: 'a' }), []);
  assert.equal(one.message(0).querySelector('.meta-failed'), null);
  assert.match(one.message(0).querySelector('.meta').textContent, /Sending/);
});

test('a reply keeps its quote when it is stored; a recalled quote changes alone', () => {
  const one = log();
  one.show(stored(1, 'them', 'q'), wrote('a', { reply: { id: '1', text: 'q', mine: false } }));
  const quote = one.message(1).querySelector('.quote');
  assert.deepEqual(one.show(stored(2, 'me', 'a', { replied_to: '1', replied_to_content: 'q', replied_to_sender: 'them' })), []);
  assert.equal(one.message(1).querySelector('.quote'), quote);
  one.show({ action: 'message_recalled', message_id: '1', seq: 3 });
  assert.equal(one.message(1).querySelector('.quote-text').textContent, 'Message was unsent');
  assert.equal(one.message(1).querySelector('.bubble').childNodes[0].className, 'quote is-gone');
});

test('a recall takes the words away and is announced', () => {
  const one = log();
  one.show(stored(1, 'them', 'secret'));
  assert.ok(one.show({ action: 'message_recalled', message_id: '1', seq: 2 }).includes('They unsent a message'));
  assert.ok(!one.message(0).textContent.includes('secret'));
});

test('deleting one message says none of the others again', () => {
  const one = log();
  one.show(...[1, 2, 3, 4].map((seq) => stored(seq, 'them', `m${seq}`)));
  const said = one.show({ action: 'message_deleted', message_id: '2' });
  assert.deepEqual(said, []);
  assert.equal(one.rows.childNodes.length, 4, 'the day and three messages');
});

test('another language is no news', () => {
  const one = log();
  one.show(stored(1, 'them', 'm'), wrote('a'));
  setLanguage('zh-TW');
  assert.deepEqual(one.show(), []);
  assert.match(one.message(1).textContent, /傳送中/);
});

test('a stored message that shows nothing is no blank bubble, quoted neither', () => {
  const one = log();
  one.show(stored(1, 'them', '\u3164'), stored(2, 'me', 'what?', { replied_to: '1', replied_to_content: '\u3164' }));
  const text = one.message(0).querySelector('.bubble-text');
  assert.equal(text.textContent, '(blank message)');
  assert.ok(text.classList.contains('is-blank'));
  assert.equal(one.message(1).querySelector('.quote-text').textContent, '(blank message)');
  assert.ok(!one.message(1).querySelector('.bubble-text').classList.contains('is-blank'));
});

/** A conversation of 2,000 messages, of which its page has just been opened. */
function longLog() {
  const one = log();
  const idle = [];
  globalThis.requestIdleCallback = (then) => idle.push(then);
  one.fold(Array.from({ length: 2000 }, (_, at) => stored(at + 1, 'them', `m${at + 1}`)), true);
  const seqs = () => one.messages().map((node) => Number(node.dataset.seq));
  const first = seqs();
  /** The page has nothing else to do. */
  const rest = () => {
    while (idle.length > 0) idle.shift()();
  };
  return { ...one, seqs, first, rest };
}

/** The same when it has been there for a moment. */
function restedLog() {
  const one = longLog();
  one.rest();
  return one;
}

test('of a long conversation a screen is there at first, and what is above it when the page rests', () => {
  const one = longLog();
  assert.deepEqual(one.first, Array.from({ length: 30 }, (_, at) => 1971 + at));
  announced.length = 0;
  one.rest();
  assert.deepEqual(one.seqs(), Array.from({ length: 120 }, (_, at) => 1881 + at));
  assert.deepEqual(announced, []);
  const left = longLog();
  left.ui.walk(left.message(0), 'Home');
  left.rest();
  document.activeElement = null;
  assert.equal(left.seqs()[0], 1, 'who has gone elsewhere by then stays there');
});

test('of a long conversation the newest messages are held, and stay so as more come', () => {
  const one = restedLog();
  assert.deepEqual(one.seqs(), Array.from({ length: 120 }, (_, at) => 1881 + at));
  for (let seq = 2001; seq <= 3000; seq += 1) {
    const said = one.show(stored(seq, 'them', `m${seq}`));
    assert.equal(said.length, 1, 'a new one is announced, and nothing else');
    assert.ok(one.messages().length <= 360);
    assert.equal(one.seqs().at(-1), seq);
  }
});

test('who comes back goes on at the line, but not many screens further up than the newest', () => {
  const one = longLog();
  one.comeBack(3);
  assert.equal(one.seqs().at(-1), 2000);
  assert.ok(one.ui.isAtBottom(), 'where they were is not held');
  one.comeBack(1900);
  assert.ok(!one.ui.isAtBottom(), 'where they were is held, and what follows does not fit');
});

test('walking upwards reaches the first message, End leads back, and none of it is news', () => {
  const one = restedLog();
  announced.length = 0;
  one.ui.focusMessage(one.message(0));
  for (let steps = 0; steps < 300; steps += 1) one.ui.walk(document.activeElement, 'ArrowUp');
  assert.equal(document.activeElement.dataset.seq, 1881 - 300);
  one.ui.walk(document.activeElement, 'Home');
  assert.equal(document.activeElement.dataset.seq, 1);
  one.ui.walk(document.activeElement, 'ArrowDown');
  assert.equal(document.activeElement.dataset.seq, 2);
  one.ui.walk(document.activeElement, 'End');
  assert.equal(document.activeElement.dataset.seq, 2000);
  assert.deepEqual(announced, []);
  document.activeElement = null;
});

test('a reply leads to what it quotes, however long ago that was', () => {
  const one = restedLog();
  one.ui.glow('7');
  assert.ok(one.seqs().includes(7) && one.messages().length <= 600);
  assert.equal(one.ui.isAtBottom(), false, 'the newest are not in view, so they are not read');
  one.show(stored(2001, 'them', 'new'));
  assert.ok(!one.seqs().includes(2001));
  one.ui.toBottom(false);
  assert.equal(one.seqs().at(-1), 2001);
});

test('what is said above the first message is not said above any other', () => {
  const one = restedLog();
  const part = (name) => one.main.querySelector(`[data-${name[0]}="${name[1]}"]`);
  const [head, earlier] = [part(['slot', 'log-head']), part(['testid', 'earlier'])];
  assert.deepEqual([head.hidden, earlier.hidden], [true, false]);
  one.ui.walk(one.message(0), 'Home');
  assert.deepEqual([head.hidden, earlier.hidden], [false, true]);
  document.activeElement = null;
});

test('where nothing has changed nothing is touched', () => {
  const one = log();
  one.show(stored(1, 'them', 'hello'));
  const text = one.message(0).querySelector('.bubble-text');
  text.textContent = 'as a translator left it';
  one.show();
  assert.equal(text.textContent, 'as a translator left it');
});

test('on a device that takes long over a message, the next ones come without a motion', (context) => {
  const one = log();
  const enters = (seq) => {
    one.show(stored(seq, 'them', `s${seq}`));
    return one.messages().at(-1).classList.contains('is-new');
  };
  assert.deepEqual([1, 2, 3].map(enters), [true, true, true]);
  let at = 0;
  const clock = context.mock.method(performance, 'now', () => (at += 14));
  // One that was held up by something else does not decide.
  assert.deepEqual([4, 5, 6].map(enters), [true, true, false]);
  clock.mock.mockImplementation(() => (at += 1));
  assert.deepEqual([7, 8].map(enters), [false, true]);
});
