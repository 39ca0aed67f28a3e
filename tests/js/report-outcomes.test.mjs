// What became of a report is told once, also where the list of reports cannot be had in between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeElement, installPage } from './page.mjs';
import './words.mjs';

installPage();
const body = new FakeElement('body');
Object.assign(document, { body, querySelectorAll: () => [], querySelector: () => null });
const { tellOutcomes } = await import('../../assets/js/ui/report-list.js');

const decided = { report_id: 'r1', room_id: 'room', reason: 'spam', at_ms: 1, state: 'decided', acted: true };
const list = () => new Response(JSON.stringify({ reports: [decided] }), { headers: { 'content-type': 'application/json' } });
const portal = () => new Response('<form>Sign in</form>', { headers: { 'content-type': 'text/html' } });

/** What is told when the server, or what stands before it, answers so. */
async function told(answer) {
  body.replaceChildren();
  globalThis.fetch = async () => answer();
  await tellOutcomes();
  return body.textContent;
}

test('an outage in between does not make it news again', async () => {
  assert.notEqual(await told(list), '');
  assert.equal(await told(list), '');
  assert.equal(await told(portal), '');
  assert.equal(await told(list), '');
});
