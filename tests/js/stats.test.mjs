// The line of numbers: what there is none of goes unsaid.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../assets/js/lib/i18n.js';
import { mountStats } from '../../assets/js/ui/stats.js';

const line = (stats, reachable = true) => {
  const node = { textContent: '' };
  mountStats(node).update(stats, reachable);
  return node.textContent;
};

test('no number is ever a zero', () => {
  setLanguage('en');
  assert.equal(line({ online: 4, waiting: 1, rooms: 2 }), '4 online · 1 waiting · 2 chats');
  assert.equal(line({ online: 2, waiting: 0, rooms: 1 }), '2 online · 1 chat');
  assert.equal(line({ online: 0, waiting: 0, rooms: 0 }), 'Nobody else is here yet. You can be the first.');
});

test('a server that is away has no numbers', () => {
  setLanguage('en');
  assert.match(line({ online: 4, waiting: 1, rooms: 2 }, false), /can’t be reached/);
});
