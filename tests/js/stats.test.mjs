// The line of numbers: below ten they are not said.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { mountStats } from '../../assets/js/ui/stats.js';
import './words.mjs';

const line = (stats, reachable = true) => {
  const node = { textContent: '' };
  mountStats(node).update(stats, reachable);
  return node.textContent;
};

test('only what is true is said, and never a zero', () => {
  setLanguage('en');
  assert.equal(line({ online: 40, waiting: 10, rooms: 15 }), '40+ online · 10+ waiting · 15+ chats');
  // A class behind one address: places and chats are counted by different things, and contradict each other.
  assert.equal(line({ online: 10, waiting: 0, rooms: 50 }), '10+ online');
  assert.equal(line({ online: 1, waiting: 0, rooms: 20 }), 'A few people are here.');
  assert.equal(line({ online: 20, waiting: 0, rooms: 10 }), '20+ online · 10+ chats');
  assert.equal(line({ online: 10, waiting: 5, rooms: 1 }), '10+ online', 'a few of many go unsaid');
  for (const few of [{ online: 1, waiting: 0, rooms: 0 }, { online: 5, waiting: 1, rooms: 5 }, { online: 1, waiting: 1, rooms: 0 }]) {
    assert.equal(line(few), 'A few people are here.');
  }
  assert.equal(line({ online: 0, waiting: 0, rooms: 0 }), 'Nobody else is here yet. You can be the first.');
});

test('a server that is away has no numbers', () => {
  setLanguage('en');
  assert.match(line({ online: 40, waiting: 10, rooms: 20 }, false), /can’t be reached/);
});
