#!/usr/bin/env node
// Measures what the waiting scene costs a device without a graphics card, in headless
// Chromium: the share of one core. Starts a server of its own.
//
//   node scripts/bench-pages.mjs [--quick]
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
  options: { quick: { type: 'boolean', default: false } },
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const byTest = (id) => `document.querySelector('[data-testid="${id}"]')`;
const shown = (id) => `Boolean(${byTest(id)}?.checkVisibility())`;

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
  return figures;
}

const folder = mkdtempSync(join(tmpdir(), 'miyu-bench-pages-'));
const server = await startServer(folder);
const browser = await startChromium();
try {
  console.log(JSON.stringify({ 'waiting scene, of one core': await scene(browser, server.base) }));
} finally {
  await browser.stop();
  server.child.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
