// What an answer is: only what our server says in its own form counts; whatever
// else answers in its place is an outage, and is asked again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask as askConsole } from '../../assets/js/admin/api.js';
import { countMessages, defaultSite, forgetBrowser, getRooms, getSite, getStats, Outage, postAppeal, postReport, Refusal, untilAnswered } from '../../assets/js/net/http.js';

Object.assign(globalThis, { addEventListener() {}, removeEventListener() {} });

const answers = (...list) => {
  const asked = [];
  globalThis.fetch = async (path, { method }) => {
    asked.push(`${method} ${path}`);
    const next = list.length > 1 ? list.shift() : list[0];
    if (next instanceof Error) throw next;
    return next.clone();
  };
  return asked;
};
const response = (status, type, body) => new Response(status === 204 ? null : body, { status, headers: type ? { 'content-type': type } : {} });
const json = (value) => response(200, 'application/json', JSON.stringify(value));
const problem = (status, code, more = {}) => response(status, 'application/problem+json', JSON.stringify({ type: 'about:blank', status, code, ...more }));

const strangers = [
  new TypeError('Failed to fetch'),
  response(404, 'text/plain; charset=utf-8', '404 page not found'),
  response(403, 'text/html', '<h1>Forbidden</h1>'),
  response(502, 'text/html', 'Bad Gateway'),
  response(404, 'application/json', '{"code":"no_such_room"}'),
  response(404, 'application/problem+json', '{"title":"Not Found","status":404}'),
  response(404, 'application/problem+json', '{"code":"NoSuchKey"}'),
  response(403, 'application/problem+json', 'not JSON'),
  response(200, 'text/html', '<form>Sign in to this network</form>'),
  response(200, 'application/json', '{}'),
  response(200, 'application/json', '<html>'),
  json({ rooms: null, online: 'many', name: 7 }),
  json(null),
  response(204, null, null),
];

test('no answer but our own means anything', async () => {
  for (const stranger of strangers) {
    answers(stranger);
    for (const question of [getRooms, getStats, getSite]) await assert.rejects(question(), Outage, `${stranger.status} for ${question.name}`);
  }
});

test('a browser is forgotten only when our server has said so', async () => {
  for (const stranger of [json({}), json({ rooms: [] }), ...strangers.slice(0, -1)]) {
    answers(stranger);
    await assert.rejects(forgetBrowser(), Outage);
  }
  const asked = answers(response(204, null, null));
  assert.equal(await forgetBrowser(), null);
  assert.deepEqual(asked, ['POST /api/session/forget']);
  answers(problem(503, 'unavailable'));
  await assert.rejects(forgetBrowser(), (error) => error instanceof Refusal && error.code === 'unavailable');
});

test('what our server says is taken as it is', async () => {
  answers(json({ rooms: [{ room_id: 'a', active: true }, { room_id: 'b', active: false }, null] }));
  assert.deepEqual((await getRooms()).map((room) => room.room_id), ['a']);
  answers(json({ name: '霧', retention_ms: 3_600_000 }));
  assert.deepEqual(await getSite(), { ...defaultSite, name: '霧', retention_ms: 3_600_000 });
  answers(json({ online: 5, waiting: 0, rooms: 1 }));
  assert.equal((await getStats()).online, 5);
  answers(problem(429, 'rate_limited', { retry_after_ms: 1500 }));
  await assert.rejects(getRooms(), (error) => error instanceof Refusal && error.waitMs === 1500);
});

test('only messages of the other side are counted as new', async () => {
  const said = (sender) => ({ action: 'new_message', message: { sender_id: sender, content: 'x' } });
  const asked = answers(json({ entries: [said('them'), said('me'), { action: 'reaction', seq: 5 }, said('them'), { action: 'message_recalled', seq: 7 }] }));
  assert.equal(await countMessages({ room_id: 'a/b', user_id: 'me' }, 3), 2);
  assert.deepEqual(asked, ['GET /api/rooms/a%2Fb/messages/?after=3&user_id=me']);
  answers(...strangers.slice(0, 1));
  await assert.rejects(countMessages({ room_id: 'r', user_id: 'me' }, 3), Outage);
});

test('a question is put until it is answered', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = answers(response(502, 'text/html', 'Bad Gateway'), problem(503, 'unavailable', { retry_after_ms: 9000 }), json({ rooms: [] }));
  let outages = 0;
  let rooms = null;
  untilAnswered(getRooms, () => (outages += 1)).then((answer) => (rooms = answer));
  const passes = async (ms) => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    context.mock.timers.tick(ms);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  };
  await passes(0);
  assert.deepEqual([asked.length, outages, rooms], [1, 1, null]);
  await passes(3300);
  assert.deepEqual([asked.length, outages, rooms], [2, 2, null]);
  await passes(8000);
  assert.equal(asked.length, 2, 'not before the server wants to be asked again');
  await passes(1000);
  assert.deepEqual([asked.length, outages, rooms], [3, 2, []]);
});

test('what is sent has no half of a character: our server would not read it, however often it is sent', async () => {
  const bodies = [];
  globalThis.fetch = async (_, { body }) => {
    bodies.push(body);
    return json({ appeal: 'pending', report_id: 'r' });
  };
  await postAppeal('n', 'cut here \ud83d');
  // A field that is full cuts what is pasted in.
  await postReport({ room: 'r', note: 'so rude \ud83d', claims: [{ content: '\ude00!' }] });
  await askConsole('cases/1/decide/', { method: 'POST', body: { text: { en: 'read the rules \ud83d' } } });
  assert.deepEqual(bodies.map((body) => JSON.parse(body)), [
    { notice: 'n', text: 'cut here \ufffd' },
    { room: 'r', note: 'so rude \ufffd', claims: [{ content: '\ufffd!' }] },
    { text: { en: 'read the rules \ufffd' } },
  ]);
  for (const body of bodies) assert.doesNotMatch(body, /\\ud/i);
});
