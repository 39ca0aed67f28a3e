// The short words about a connection: said when they become true, and gone when
// they are true no more.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { FakeElement, installPage } from './page.mjs';

installPage();
Object.assign(document, { body: new FakeElement('body'), querySelector: () => null, addEventListener() {} });
globalThis.addEventListener = () => {};
mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000_000 });
mock.method(performance, 'now', () => Date.now());

const { createConnectionNotices } = await import('../../assets/js/pages/room-notices.js');

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
