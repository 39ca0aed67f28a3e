// A headless Chromium, asked by its DevTools protocol over a pipe: for scripts that
// measure or look at the pages. No dependency, and nothing that tests use.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--hide-scrollbars',
  '--remote-debugging-pipe',
];

/** Starts a browser with a profile of its own, which goes with it. */
export async function startChromium(command = process.env.CHROMIUM ?? 'chromium') {
  const profile = mkdtempSync(join(tmpdir(), 'miyu-chromium-'));
  const child = spawn(command, [...flags, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ask = pipe(child.stdio[3], child.stdio[4]);
  await ask('Browser.getVersion');
  return {
    /** Asks the browser itself. */
    ask,
    /** A page in a browser context of its own: another person. */
    async person(size = { width: 1280, height: 720 }) {
      const { browserContextId } = await ask('Target.createBrowserContext');
      const { targetId } = await ask('Target.createTarget', { url: 'about:blank', browserContextId, ...size });
      const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
      // Without it no script runs before a page's own.
      await ask('Page.enable', {}, sessionId);
      return page((method, params) => ask(method, params, sessionId));
    },
    async stop() {
      await ask('Browser.close').catch(() => {});
      await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()));
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Questions go into one end of the pipe, answers come out of the other, each ended by a zero byte. */
function pipe(write, read) {
  const open = new Map();
  let count = 0;
  let rest = '';
  read.setEncoding('utf8');
  read.on('data', (chunk) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop();
    for (const part of parts) {
      const { id, result, error } = JSON.parse(part);
      const waiting = open.get(id);
      open.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    }
  });
  return (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    count += 1;
    open.set(count, { resolve, reject });
    write.write(`${JSON.stringify({ id: count, method, params, sessionId })}\0`);
  });
}

function page(ask) {
  async function run(expression) {
    const { result, exceptionDetails } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    if (exceptionDetails) throw new Error(`${exceptionDetails.exception?.description ?? exceptionDetails.text} in ${expression}`);
    return result.value;
  }
  return {
    ask,
    /** The value of an expression in the page. */
    run,
    /** Waits until an expression is true in the page. */
    async until(expression, seconds = 20) {
      const deadline = Date.now() + seconds * 1000;
      for (;;) {
        if (await run(expression).catch(() => false)) return;
        if (Date.now() > deadline) throw new Error(`never: ${expression}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async goto(url) {
      await ask('Page.navigate', { url });
      await this.until(`document.readyState === 'complete' && location.href.startsWith(${JSON.stringify(url.split('?')[0])})`);
    },
  };
}
