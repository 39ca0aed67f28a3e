// Whether a person is at the page: what it asks by itself would keep a session that no
// person uses, so it asks only while one is there.

import { monotonicNow } from '../../lib/time.js';

const there = 5 * 60_000;
let last = 0;

const note = () => {
  last = monotonicNow();
};

for (const event of ['pointerdown', 'pointermove', 'keydown', 'scroll']) addEventListener(event, note, { passive: true, capture: true });

export const isThere = () => !document.hidden && monotonicNow() - last < there;
