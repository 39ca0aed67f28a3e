// Which presses were meant, and steps that are taken once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMeant, once, oneAtATime } from '../../assets/js/lib/press.js';

const press = (at, x = 100, y = 100) => ({ at, x, y });
const came = (at, unasked = false) => ({ at, unasked });

test('the second of a double press does not hit what the first has brought up', () => {
  const first = press(0);
  assert.equal(isMeant(press(150), came(120), first), false);
  assert.equal(isMeant(press(150, 110, 120), came(120), first), false, 'a hand trembles');
  assert.equal(isMeant(press(150, 100, 300), came(120), first), true, 'another place was aimed at');
  assert.equal(isMeant(press(519), came(120), first), false);
  assert.equal(isMeant(press(520), came(120), first), true, 'it has been seen by then');
  assert.equal(isMeant(press(150), null, first), true, 'nothing came up there');
});

test('what comes up by itself is pressed by no finger that was on its way', () => {
  for (const before of [null, press(0), press(0, 900, 900)]) {
    assert.equal(isMeant(press(1100), came(1000, true), before), false);
    assert.equal(isMeant(press(1400), came(1000, true), before), true);
  }
  assert.equal(isMeant(press(990), came(1000, true), null), false, 'it was pressed before it was there');
});

test('a step under way is not begun again, and can be taken again afterwards', async () => {
  const begun = [];
  let end = null;
  const step = oneAtATime(async (name) => {
    begun.push(name);
    await new Promise((resolve) => (end = resolve));
    return name;
  });
  const first = step('a');
  assert.equal(await step('b'), undefined);
  end();
  assert.equal(await first, 'a');
  const again = step('c');
  end();
  await again;
  assert.deepEqual(begun, ['a', 'c']);
  const failing = oneAtATime(async () => {
    throw new Error('no');
  });
  await assert.rejects(failing());
  await assert.rejects(failing(), 'a step that failed may be tried again');
});

test('a continuation follows once', () => {
  let times = 0;
  const go = once((by) => (times += by));
  assert.deepEqual([go(2), go(3), times], [2, undefined, 2]);
});
