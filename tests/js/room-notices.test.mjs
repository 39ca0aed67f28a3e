// The short words about a connection: said when they become true, and gone when
// they are true no more.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { newRoom, reduce, reduceAll } from '../../assets/js/model/room.js';
import { FakeElement, installPage } from './page.mjs';
import './words.mjs';

installPage();
const status = new FakeElement('div');
Object.assign(document, { body: new FakeElement('body'), querySelectorAll: () => [], querySelector: (it) => (it.includes('status') ? status : null), addEventListener() {} });
globalThis.addEventListener = () => {};
mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000_000 });
mock.method(performance, 'now', () => Date.now());

const { announceChanges, createConnectionNotices } = await import('../../assets/js/pages/room-notices.js');

const said = () => document.body.children.map((node) => node.textContent);

/** A connection that was lost for long enough to be told of, and is there again. */
function comesBack() {
  const notices = createConnectionNotices();
  notices.follow('open');
  notices.follow('lost');
  notices.announceBanner('lost');
  notices.follow('open');
  return notices;
}

test('that the connection is there again is said, and goes by itself', () => {
  comesBack();
  assert.equal(said().length, 1);
  mock.timers.tick(4000);
  assert.deepEqual(said(), []);
});

test('it is not said beside the banner of a connection that is lost once more', () => {
  const notices = comesBack();
  assert.equal(said().length, 1);
  notices.follow('lost');
  assert.deepEqual(said(), []);
});

test('why it is over is read out once it is known, also to who was away', () => {
  setLanguage('en');
  status.textContent = '';
  const partner = { nickname: 'Bao', avatar: '1', mood: 'happy', online: true };
  const open = reduce(newRoom('r'), { action: 'room_state', user_id: 'me', partner, active: true, last_seq: 0 }, 0);
  const over = reduce(open, { action: 'room_state', user_id: 'me', partner, active: false, last_seq: 1 }, 0);
  announceChanges(open, over, 0);
  assert.equal(status.textContent, '');
  const why = reduce(over, { action: 'user_left', user_id: 'them', reason: 'timeout', gone: 'you', seq: 1 }, 0);
  announceChanges(over, why, 0);
  assert.match(status.textContent, /^You were away too long/);
});

test('how the partner reacts is read out once, and that it was taken back is not', () => {
  setLanguage('en');
  const partner = { nickname: 'Bao', avatar: '1', mood: 'happy', online: true };
  const message = { id: '1', seq: 1, sender_id: 'me', content: `so\nlong ${'x'.repeat(60)}`, replied_to: null, client_id: 'c1', sent_at_ms: 1 };
  const reacts = (who, reaction, seq) => ({ action: 'reaction', message_id: '1', user_id: who, reaction, seq });
  let state = [{ action: 'room_state', user_id: 'me', partner, active: true, last_seq: 0 }, { action: 'new_message', message }].reduce((room, event) => reduce(room, event, 0), newRoom('r'));
  const after = (...events) => {
    status.textContent = '';
    const before = state;
    state = reduceAll(state, events, 0);
    announceChanges(before, state, 0);
    return status.textContent;
  };
  assert.equal(after(reacts('them', 'heart', 2)), `Bao reacted to “so long ${'x'.repeat(32)}…”: heart`);
  assert.equal(after(reacts('me', 'wow', 3)), '');
  // Replayed after a lost connection: what holds is what was said.
  assert.equal(after(reacts('them', null, 2), reacts('them', 'heart', 4)), '');
  assert.match(after(reacts('them', 'sad', 5)), /: sad$/);
  assert.equal(after(reacts('them', null, 6)), '');
});
