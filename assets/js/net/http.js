// The JSON routes the pages use, and the one place that decides what an answer
// is. Between a page and our server stand proxies, portals and networks that
// answer too, with any status and any text. Only an answer in our own form says
// anything; all others are outages, and nothing follows from an outage.

import { serverSaid } from '../lib/time.js';
import { reconnectDelay } from '../model/reconnect.js';

const deadline = 15_000;

/** The codes of problems that our server says (docs/PROTOCOL.md). */
const codes = new Set([
  'bad_host', 'misdirected', 'not_a_uuid', 'invalid_after', 'bad_query', 'no_identity', 'not_a_member', 'foreign_origin', 'not_found', 'no_such_room',
  'method_not_allowed', 'body_too_large', 'not_a_handshake', 'rate_limited', 'too_many_sockets', 'damaged', 'unavailable',
]);

/** Our server has answered, and said no. */
export class Refusal extends Error {
  constructor(code, waitMs = 0) {
    super(code);
    this.code = code;
    this.waitMs = waitMs;
  }
}

/** Our server has not answered, whatever else did. */
export class Outage extends Error {}

const mediaType = (response) => (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();

/** What a response means: what it holds, or a Refusal or an Outage is thrown. */
async function meaning(response, isOurs) {
  if (response.status === 204 && isOurs(null)) return null;
  const type = mediaType(response);
  const said = /^application\/(problem\+)?json$/.test(type) ? await response.json().catch(() => null) : null;
  if (response.ok && type === 'application/json' && said && isOurs(said)) {
    serverSaid(Date.parse(response.headers.get('date') ?? ''));
    return said;
  }
  if (!response.ok && type === 'application/problem+json' && codes.has(said?.code)) {
    throw new Refusal(said.code, Number(said.retry_after_ms) || 0);
  }
  throw new Outage(`${response.status} ${type}`);
}

async function ask(path, isOurs, { method = 'GET', token = null } = {}) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), deadline);
  try {
    const headers = { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
    const wanted = { method, headers, cache: 'no-store', credentials: 'same-origin', signal: giveUp.signal };
    return await meaning(await fetch(path, wanted), isOurs);
  } catch (error) {
    throw error instanceof Refusal ? error : new Outage(error.message);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms`, or as soon as there is a network again. */
function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
  });
}

/**
 * Puts a question (one of the functions below) until our server has answered it
 * with more than a no, with growing, random pauses. `onOutage` is told each time.
 */
export async function untilAnswered(question, onOutage = () => {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await question();
    } catch (error) {
      onOutage();
      await pause(Math.max(error.waitMs ?? 0, reconnectDelay(attempt, 1001, Math.random())));
    }
  }
}

export const defaultSite = {
  name: '秘語',
  tagline: '',
  rules: '',
  contact: '',
  minimum_age: 18,
  default_language: 'auto',
  // Not known: what is promised about erasure is the operator's.
  retention_ms: null,
  reconnect_grace_ms: 300_000,
  max_message_chars: 2000,
  max_nickname_chars: 12,
  options: {},
};

const isSite = (said) => typeof said?.name === 'string' && typeof said.retention_ms === 'number';
const isStats = (said) => typeof said?.online === 'number';
const isRoom = (said) => typeof said?.room_id === 'string';
const isRooms = (said) => Array.isArray(said?.rooms);

/** What the operator configured. */
export const getSite = async () => ({ ...defaultSite, ...(await ask('/api/site', isSite)) });

/** Whether an answer of this server arrives, and not one of whatever stands before it. */
export const reachesServer = () => getSite().then(() => true, (error) => error instanceof Refusal);

export const getStats = () => ask('/api/stats', isStats);

/** The rooms of this browser that are open. */
export const getRooms = async () => (await ask('/api/rooms/', isRooms)).rooms.filter((room) => room && room.active !== false);

/** The room that a token of `match_found` is for, open or closed: no address names it. */
export const getRoomOf = (token) => ask('/api/rooms/current/', isRoom, { token });

/** Ends this browser's session on the server: its rooms, searches and blocks. */
export const forgetBrowser = () => ask('/api/session/forget', (said) => said === null, { method: 'POST' });
