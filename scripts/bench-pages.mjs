#!/usr/bin/env node
// Measures what the pages cost the device they run on, in headless Chromium with its
// processor slowed down six times: from home to the search over a slow network, an
// incoming message and a reload in a long conversation, and the waiting scene. Starts a
// server of its own.
//
//   node scripts/bench-pages.mjs [--messages 2000] [--slower 6] [--quick]
//   MIYU=target/release/miyu CHROMIUM=chromium node scripts/bench-pages.mjs
//
// --quick leaves out the minute after which the scene stands still.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChromium } from './lib/chromium.mjs';

const { values: options } = parseArgs({
  options: { messages: { type: 'string', default: '2000' }, slower: { type: 'string', default: '6' }, quick: { type: 'boolean', default: false } },
});
const messages = Number(options.messages);
const slower = Number(options.slower);
const incoming = 20;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const byTest = (id) => `document.querySelector('[data-testid="${id}"]')`;
const shown = (id) => `Boolean(${byTest(id)}?.checkVisibility())`;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startServer(folder) {
  const port = await freePort();
  const env = {
    ...process.env,
    MIYU_SERVER__LISTEN: `127.0.0.1:${port}`,
    MIYU_SERVER__OPERATOR_LISTEN: 'off',
    MIYU_STORE__URL: `sqlite:${join(folder, 'miyu.db')}`,
    MIYU_LIMITS__MESSAGES_PER_SECOND: '0',
    MIYU_LIMITS__MESSAGE_BYTES_PER_SECOND: '0B',
    MIYU_LOG__FILTER: 'error',
  };
  const child = spawn(process.env.MIYU ?? 'target/debug/miyu', [], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries += 1) {
    if (await fetch(`${base}/api/site`).then((answer) => answer.ok, () => false)) return { child, base };
    await pause(100);
  }
  throw new Error('the server does not answer');
}

/** From home into the search. */
async function search(person, base) {
  await person.goto(`${base}/`);
  await person.until(shown('start'));
  await person.run(`${byTest('gender-private')}.click()`);
  await pause(500);
  await person.run(`${byTest('start')}.click()`);
  await person.until(`${shown('consent-agree')} || ${shown('matching')}`);
  await person.run(`${byTest('consent')}?.click(); ${byTest('consent-agree')}?.click()`);
  await person.until(`${shown('matching')} || ${shown('chat')}`);
}

/** A second socket of the person's own, over which the rest is said without its page. */
const talk = (count) => `new Promise((done) => {
  const room = JSON.parse(sessionStorage.getItem('miyu.here'));
  const { token, user_id } = JSON.parse(sessionStorage.getItem('miyu.sides'))[room];
  const socket = globalThis.talk = new WebSocket(location.origin.replace('http', 'ws') + '/ws/chat/');
  let stored = 0;
  let said = 0;
  globalThis.say = (content) => socket.send(JSON.stringify({ action: 'send_message', message: { content, client_id: 'bench-' + Date.now() + '-' + (said += 1) } }));
  socket.onopen = () => socket.send(JSON.stringify({ action: 'enter', room, token, user_id, after: 0 }));
  socket.onmessage = ({ data }) => {
    const { action } = JSON.parse(data);
    if (action === 'room_state') for (let at = 0; at < ${count}; at += 1) say('message ' + at + ' ' + 'word '.repeat(at % 30));
    if (action === 'new_message' && ++stored === ${count}) done(true);
  };
})`;

/** Notes when the newest message is on the screen. */
const watchPaint = (text) => `globalThis.painted = 0;
  requestAnimationFrame(function look() {
    const last = [...document.querySelectorAll('.bubble-text')].at(-1);
    const box = last?.getBoundingClientRect();
    const there = last?.textContent.startsWith(${JSON.stringify(text)}) && box.bottom > 0 && box.bottom <= innerHeight;
    if (there) requestAnimationFrame(() => { painted = performance.now(); });
    else requestAnimationFrame(look);
  });`;

async function tasks(person) {
  const { metrics } = await person.ask('Performance.getMetrics');
  const get = (name) => 1000 * metrics.find((metric) => metric.name === name).value;
  return { task: get('TaskDuration'), layout: get('LayoutDuration'), style: get('RecalcStyleDuration'), script: get('ScriptDuration') };
}

const difference = (after, before) => Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));

/** What each message takes of the main thread, without what the page takes anyway. */
async function costOfMessages(reader, speaker) {
  const window = 400;
  const before = await tasks(reader);
  for (let at = 0; at < incoming; at += 1) await pause(window);
  const idle = difference(await tasks(reader), before);
  const costs = [];
  for (let at = 0; at < incoming; at += 1) {
    const earlier = await tasks(reader);
    await speaker.run(`say('more ${at}')`);
    await pause(window);
    costs.push(difference(await tasks(reader), earlier));
  }
  const of = (key) => Math.max(0, median(costs.map((cost) => cost[key])) - idle[key] / incoming);
  return Object.fromEntries(['task', 'script', 'style', 'layout'].map((key) => [key, Number(of(key).toFixed(1))]));
}

/** The share of one core that the browser takes, all of its processes together. */
async function share(browser, seconds) {
  const sum = async () => (await browser.ask('SystemInfo.getProcessInfo')).processInfo.reduce((all, { cpuTime }) => all + cpuTime, 0);
  const [before, begun] = [await sum(), performance.now()];
  await pause(seconds * 1000);
  return `${((100 * (await sum() - before)) / ((performance.now() - begun) / 1000)).toFixed(1)} %`;
}

async function scene(browser, base) {
  const waiting = await browser.person({ width: 1280, height: 720 });
  await search(waiting, base);
  await pause(4000);
  const moving = await share(browser, 12);
  const figures = { moving };
  if (!options.quick) {
    await pause(60_000);
    figures['after a minute'] = await share(browser, 8);
  }
  // Else it would meet one of those who talk.
  await waiting.goto('about:blank');
  return figures;
}

/** What developer tools call slow 3G. */
const slow3g = { offline: false, latency: 400, downloadThroughput: (400 * 1000) / 8, uploadThroughput: (400 * 1000) / 8 };

/** From the press on home until the search is shown; home has been open for a few seconds. */
async function start(browser, base) {
  const times = [];
  for (let tries = 0; tries < 3; tries += 1) {
    const person = await browser.person({ width: 390, height: 844 });
    await person.goto(`${base}/`);
    await person.until(shown('start'));
    await person.run(`${byTest('gender-private')}.click()`);
    await pause(4000);
    await person.run(`${byTest('start')}.click()`);
    await person.until(shown('consent-agree'));
    await person.run(`${byTest('consent')}?.click()`);
    await pause(500);
    await person.ask('Network.enable');
    await person.ask('Network.emulateNetworkConditions', slow3g);
    await person.ask('Emulation.setCPUThrottlingRate', { rate: slower });
    const pressed = performance.now();
    await person.run(`${byTest('consent-agree')}.click()`);
    await person.until(shown('matching'), 60);
    times.push(performance.now() - pressed);
    await person.goto('about:blank');
  }
  return Math.round(median(times));
}

async function conversation(browser, base) {
  const [reader, speaker] = [await browser.person(), await browser.person()];
  await Promise.all([search(reader, base), search(speaker, base)]);
  await Promise.all([reader, speaker].map((person) => person.until(shown('composer'))));
  // Their pages are in the room before a second socket takes the place of one.
  await pause(1500);
  await speaker.run(talk(messages));
  await speaker.goto(`${base}/chat/`);
  await speaker.until(shown('composer'));
  await pause(1500);
  await speaker.run(talk(0).replace('action === \'room_state\'', 'action === \'room_state\' && (done(true), true)'));
  const newest = `message ${messages - 1} `;
  // All of it has been read: a reload goes to the end, not to where the reader was.
  await reader.until(`[...document.querySelectorAll('.bubble-text')].at(-1).textContent.startsWith(${JSON.stringify(newest)})`, 60);
  await reader.run(`${byTest('log')}.scrollTo(0, 1e9)`);
  await pause(2500);
  // By the thread's own time, which does not depend on what else the machine does.
  await reader.ask('Performance.enable', { timeDomain: 'threadTicks' });
  await reader.ask('Emulation.setCPUThrottlingRate', { rate: slower });
  await reader.ask('Page.addScriptToEvaluateOnNewDocument', { source: watchPaint(newest) });
  const paints = [];
  for (let tries = 0; tries < 3; tries += 1) {
    await reader.ask('Page.reload');
    await reader.until('globalThis.painted > 0', 60);
    paints.push(await reader.run('painted'));
    await pause(1500);
  }
  const message = await costOfMessages(reader, speaker);
  return { 'newest message painted after a reload (ms)': Math.round(median(paints)), 'main thread for an incoming message (ms)': message };
}

const folder = mkdtempSync(join(tmpdir(), 'miyu-bench-pages-'));
const server = await startServer(folder);
const browser = await startChromium();
try {
  console.log(JSON.stringify({ messages, slower, 'waiting scene, of one core': await scene(browser, server.base) }));
  console.log(JSON.stringify({ 'from home to the search over slow 3G (ms)': await start(browser, server.base) }));
  console.log(JSON.stringify(await conversation(browser, server.base)));
} finally {
  await browser.stop();
  server.child.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
