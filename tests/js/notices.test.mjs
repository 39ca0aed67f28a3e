// What a person was told: what holds, what has to be read first, and that a page survives what it does not know.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { answerTo, hear, holds, isOver, latest, learn, markRead, noNotices, noticeOf, toRead } from '../../assets/js/model/notices.js';
import { newRoom, reduceAll } from '../../assets/js/model/room.js';
import { catalogues, languages } from './words.mjs';
import { installPage } from './page.mjs';

const raw = (more) => ({ id: 'a', kind: 'warning', rule: 'spam', text: 'Please', from_ms: 1000, until_ms: null, automatic: false, appeal: 'possible', ...more });

test('a notice is read as the server tells it', () => {
  const { list } = hear(noNotices, raw({ until_ms: 5000, automatic: true, acted: true, confirmed: true }));
  assert.deepEqual(list, [{ id: 'a', kind: 'warning', rule: 'spam', text: 'Please', from: 1000, until: 5000, automatic: true, appeal: 'possible', read: true, acted: true }]);
});

test('kinds, fields and forms that are not known harm nothing', () => {
  const before = hear(noNotices, raw());
  for (const odd of [null, undefined, 7, 'ban', [], {}, { id: 'x' }, { kind: 'ban' }, raw({ id: 5 }), raw({ kind: 'hologram' }), raw({ kind: 'toString' })]) assert.equal(hear(before, odd), before, JSON.stringify(odd));
  const { list } = hear(noNotices, { id: 'a', kind: 'mute', rule: 9, text: { html: 1 }, from_ms: 'now', until_ms: Number.NaN, appeal: null, colour: 'red' });
  assert.deepEqual(list, [{ id: 'a', kind: 'mute', rule: null, text: '', from: 0, until: null, automatic: false, appeal: 'none', read: false, acted: null }]);
  const told = learn(noNotices, { notices: [null, raw({ kind: 'hologram' }), raw()], more: true });
  assert.deepEqual([told.list.length, told.ban, told.mute], [1, null, null]);
});

test('told twice it is one, the newest first, and what was read stays read', () => {
  let state = hear(hear(noNotices, raw()), raw({ id: 'b', from_ms: 2000 }));
  assert.deepEqual(state.list.map(({ id }) => id), ['b', 'a']);
  assert.deepEqual(toRead(state).map(({ id }) => id), ['a', 'b'], 'to be read in their order');
  state = hear(markRead(state, 'a'), raw({ appeal: 'pending' }));
  assert.deepEqual(toRead(state).map(({ id }) => id), ['b']);
  assert.equal(state.list[1].appeal, 'pending');
  assert.deepEqual(toRead(hear(noNotices, raw({ confirmed: true }))), []);
  assert.deepEqual(toRead(hear(noNotices, raw({ kind: 'mute' }))), [], 'only a warning has to be');
});

test('a mute and a ban hold until their end, or without one', () => {
  const state = hear(hear(noNotices, raw({ kind: 'mute', until_ms: 5000 })), raw({ id: 'b', kind: 'ban' }));
  assert.deepEqual([holds(state.mute, 4999), holds(state.mute, 5000), holds(state.ban, 9e15), holds(null, 0)], [true, false, true, false]);
  assert.equal(latest(state, 'mute', 4999).id, 'a');
  assert.equal(latest(state, 'mute', 5000), null);
  assert.deepEqual(state.list.map((notice) => isOver(state, notice, 5000)), [false, true], 'the newest first');
});

test('the notice of a ban is that of the ban that holds', () => {
  const notices = [raw({ id: 'lifted', kind: 'ban', until_ms: 9000, from_ms: 3000 }), raw({ id: 'holds', kind: 'ban', until_ms: 8000 }), raw({ id: 'other', kind: 'ban', rule: 'minor' })];
  const of = (ban) => noticeOf(learn(noNotices, { notices, standing: { ban, mute: null } }), 'ban', 5000)?.id ?? null;
  assert.equal(of({ rule: 'spam', until_ms: 8000 }), 'holds');
  assert.equal(of({ rule: 'harassment', until_ms: 8000 }), null, 'of a network nothing is told');
});

test('what the server says when it is asked takes the place of what was heard', () => {
  const heard = hear(hear(hear(noNotices, raw({ kind: 'mute' })), raw({ id: 'n', kind: 'broadcast' })), raw({ id: 'b', kind: 'ban' }));
  const mute = raw({ kind: 'mute' });
  const state = learn(heard, { notices: [mute], standing: { ban: null, mute: null } });
  assert.deepEqual([state.ban, state.mute], [null, null]);
  assert.deepEqual(state.list.map(({ id }) => id), ['a'], 'also of what was told to all');
  const since = learn(heard, { notices: [mute] }, hear(noNotices, raw({ kind: 'mute' })));
  assert.deepEqual(since.list.map(({ id }) => id).sort(), ['a', 'n'], 'but not of what was told to all since it was asked');
  assert.equal(isOver(state, state.list.find(({ id }) => id === 'a'), 2000), true, 'lifted before its end');
  const banned = learn(heard, { notices: [], standing: { ban: { rule: 'minor', until_ms: 7000 }, mute: null } });
  assert.deepEqual(banned.ban, { rule: 'minor', until: 7000 });
});

test('what was told to all and is taken back is gone, whatever the clock says', () => {
  const notice = (id, more) => raw({ id, kind: 'broadcast', rule: null, from_ms: 4000, until_ms: 9000, ...more });
  const before = hear(hear(noNotices, notice('n')), notice('m', { kind: 'maintenance' }));
  const after = hear(before, notice('n', { text: '', until_ms: 4000 }));
  assert.deepEqual(after.list.map(({ id }) => id), ['m']);
  assert.deepEqual(hear(after, notice('m', { kind: 'maintenance', text: '', until_ms: 4000 })).list, []);
  assert.equal(hear(after, notice('x', { until_ms: 4000 })), after, 'one that was never told here');
  assert.equal(latest(before, 'broadcast', 9000), null, 'and by its time');
  const mute = hear(before, raw({ kind: 'mute', until_ms: 1000 }));
  assert.equal(mute.list.length, 3, 'what is told to one person stays in their list');
});

test('the answer to an appeal is the outcome that names its rule', () => {
  const told = [raw({ id: 'a', kind: 'ban', appeal: 'decided' }), raw({ id: 'r', kind: 'outcome', rule: null, from_ms: 1500 }), raw({ id: 'o', kind: 'outcome', from_ms: 2000 }), raw({ id: 'p', kind: 'outcome', from_ms: 3000 }), raw({ id: 'm', kind: 'mute', from_ms: 2500, appeal: 'pending' })];
  const state = told.reduce(hear, noNotices);
  const of = (id) => answerTo(state, state.list.find((notice) => notice.id === id))?.id ?? null;
  assert.deepEqual([of('a'), of('m'), of('r')], ['o', null, null]);
});

test('what a muted person says has failed and is kept, and a reaction is taken back', () => {
  const opening = { action: 'room_state', room_id: 'r', user_id: 'me', partner: {}, active: true, last_seq: 1 };
  const theirs = { action: 'new_message', message: { id: '1', seq: 1, sender_id: 'them', content: 'hi', sent_at_ms: 1, client_id: 'c' } };
  const asked = { action: 'asked', pendingAction: { kind: 'react', id: '1', reaction: 'heart' } };
  const room = reduceAll(newRoom('r'), [opening, theirs, { action: 'wrote', clientId: 'm', content: 'mine', at: 1 }, asked], 0);
  const refused = reduceAll(room, [{ action: 'error', code: 'muted', client_id: 'm' }, { action: 'error', code: 'muted', message_id: '1' }], 0);
  assert.deepEqual(refused.pendingMessages.map(({ content, failed }) => [content, failed]), [['mine', 'muted']]);
  assert.deepEqual(refused.pendingActions, []);
});

test('each rule, kind and state has its words in each language', () => {
  const keys = [
    ...['harassment', 'sexual', 'minor', 'self_harm', 'spam', 'other'].map((rule) => `rule.${rule}`),
    ...['warning', 'mute', 'ban', 'lifted', 'outcome', 'appealed', 'broadcast'],
    ...['warning', 'mute', 'ban', 'lifted', 'acted', 'looked', 'changed', 'upheld', 'over'].map((what) => `what.${what}`),
    ...['pending', 'decided', 'ask'].map((state) => `appeal.${state}`),
    ...['lifted', 'acted', 'looked', 'appealed'].map((line) => `line.${line}`),
  ];
  for (const language of languages) for (const key of keys) assert.ok(catalogues[language][`notices.${key}`], `${language} ${key}`);
});

/** The store of a page, fresh, on a server that answers `answers` in turn. */
async function store(...answers) {
  asked.length = 0;
  globalThis.fetch = (path) => {
    asked.push(path);
    const [status, body] = answers.length > 1 ? answers.shift() : answers[0];
    const type = status === 200 ? 'application/json' : 'application/problem+json';
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers: { 'content-type': type } }));
  };
  instance += 1;
  const page = await import(`../../assets/js/pages/notices.js?${instance}`);
  page.followSite({ maintenance: null });
  return page;
}

const asked = [];
let instance = 0;
beforeEach(() => {
  installPage();
  globalThis.document.querySelector = () => null;
});

test('a server of before is asked once, and nothing changes', async () => {
  const page = await store([404, { code: 'not_found' }]);
  let changes = 0;
  page.onNotices(() => (changes += 1));
  await page.askNotices();
  await page.askNotices();
  assert.deepEqual(asked, ['/api/notices/']);
  assert.deepEqual([changes, page.isBanned(), page.isMuted(), await page.readFirst()], [0, false, false, true]);
  page.followSite({});
  await page.askNotices();
  assert.equal(asked.length, 1, 'its site says nothing of maintenance: it is not asked at all');
});

test('two that ask at once are one question', async () => {
  const page = await store([200, { notices: [] }]);
  await Promise.all([page.askNotices(), page.askNotices(), page.askNotices(60_000)]);
  assert.equal(asked.length, 1);
});

test('an outage says nothing, and it is asked again', async () => {
  const page = await store([502, {}], [200, { notices: [], standing: { ban: { rule: 'spam', until_ms: null }, mute: null } }]);
  await page.askNotices();
  assert.equal(page.isBanned(), false);
  await page.askNotices(60_000);
  assert.equal(asked.length, 1, 'not at every loss of a connection');
  await page.askNotices();
  assert.equal(page.isBanned(), true);
});

test('what was lifted is asked of the server, which alone knows what still holds', async () => {
  const page = await store([200, { notices: [], standing: { ban: null, mute: null } }]);
  page.takeNotice(raw({ kind: 'mute' }));
  assert.equal(page.isMuted(), true);
  page.takeNotice(raw({ id: 'l', kind: 'lifted' }));
  for (let turn = 0; turn < 50 && page.isMuted(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(page.isMuted(), false);
  assert.ok(asked.includes('/api/notices/'));
});

test('a socket that is open again asks whether words to all people still stand, and only then', async () => {
  const page = await store([200, { notices: [], standing: { ban: null, mute: null } }]);
  page.takeNotice(raw());
  await page.askWhatStands();
  assert.deepEqual(asked, [], 'a warning stands until its person has read it');
  page.takeNotice(raw({ id: 'w', kind: 'maintenance', until_ms: Date.now() + 60_000 }));
  assert.notEqual(page.maintenanceUntil(), null);
  await page.askWhatStands();
  assert.deepEqual(asked, ['/api/notices/']);
  assert.equal(page.maintenanceUntil(), null, 'it was taken back while the socket was down');
});

test('until when there is maintenance is in its notice', async () => {
  const page = await store([200, { notices: [] }]);
  assert.equal(page.maintenanceUntil(), null);
  const until = Date.now() + 60_000;
  page.takeNotice(raw({ kind: 'maintenance', until_ms: until }));
  assert.equal(page.maintenanceUntil(), until);
});
