// A short word is seen and heard whatever lies over the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeElement, installPage } from './page.mjs';

installPage();
const { toast } = await import('../../assets/js/ui/toast.js');

test('it stands in the dialog that lies on top, for that one alone is neither covered nor silent', () => {
  const [guide, blocked, body] = ['dialog', 'dialog', 'body'].map((name) => new FakeElement(name));
  const open = [guide, blocked];
  Object.assign(document, { body, querySelectorAll: () => open, querySelector: () => open[0] ?? null });
  const takeBack = toast('Unblocked');
  assert.deepEqual([guide, blocked, body].map(({ textContent }) => textContent), ['', 'Unblocked', '']);
  takeBack();
  assert.equal(blocked.textContent, '');
  open.length = 0;
  toast('Copied')();
  toast('Copied');
  assert.equal(body.textContent, 'Copied');
  toast('Copied again');
  assert.equal(body.textContent, 'Copied again', 'one at a time');
});
