// The console's questions to the server. Only an answer in the server's own form says
// anything; all else is an outage (as in net/http.js, whose routes these are not).

import { syncClock } from '../lib/time.js';
import { wellFormedJson } from '../model/well-formed.js';

const base = '/admin/api/';
const deadline = 20_000;

/** The server has answered, and said no. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.code);
    Object.assign(this, { status, code: problem.code, detail: problem.detail ?? '', waitMs: Number(problem.retry_after_ms) || 0, problem });
  }
}

/** The server has not answered. */
export class Outage extends Error {}

async function interpret(response) {
  const type = (response.headers.get('content-type') ?? '').split(';')[0].trim();
  if (response.status === 204) return null;
  const body = /^application\/(problem\+)?json$/.test(type) ? await response.json().catch(() => null) : null;
  if (response.ok && type === 'application/json' && body) {
    syncClock(Date.parse(response.headers.get('date') ?? ''));
    return body;
  }
  if (!response.ok && type === 'application/problem+json' && typeof body?.code === 'string') throw new Refusal(response.status, body);
  throw new Outage(`${response.status} ${type}`);
}

/** Asks once. @param {string} path below `/admin/api/` */
export async function ask(path, { method = 'GET', body } = {}) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), deadline);
  try {
    const headers = { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) };
    const options = { method, headers, body: body ? wellFormedJson(body) : undefined, cache: 'no-store', credentials: 'same-origin', signal: giveUp.signal };
    return await interpret(await fetch(`${base}${path}`, options));
  } catch (error) {
    throw error instanceof Refusal ? error : new Outage(String(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Begins a session, and looks whether the browser keeps its cookie: without it each question would lead back to the
 * log-in, without a word. @param {string} path @param {object} body
 */
export async function beginSession(path, body) {
  const session = await ask(path, { method: 'POST', body });
  await ask('session/').catch((error) => {
    if (error instanceof Refusal && error.code === 'not_logged_in') throw new Refusal(error.status, { code: 'cookie_not_kept' });
  });
  return session;
}

/** Where the export of a case is: a browser fetches it as a file. @param {number} id */
export const exportAddress = (id) => `${base}cases/${id}/export/`;
