// The JSON routes the pages use, and the one place that decides what an answer
// is. Between a page and our server stand proxies, portals and networks that
// answer too, with any status and any text. Only an answer in our own form says
// anything; all others are outages, and nothing follows from an outage.

import { syncClock } from '../lib/time.js';
import { reconnectDelay } from '../model/reconnect.js';
import { wellFormedJson } from '../model/well-formed.js';

const deadline = 15_000;
const goingAway = 1001;

/** The codes of problems that our server says (docs/PROTOCOL.md). */
const codes = new Set([
  'bad_host', 'misdirected', 'not_a_uuid', 'invalid_after', 'bad_query', 'no_identity', 'not_a_member', 'foreign_origin', 'not_found', 'no_such_room',
  'method_not_allowed', 'body_too_large', 'bad_json', 'invalid_field', 'too_long', 'not_a_handshake', 'rate_limited', 'too_many_sockets', 'damaged', 'unavailable',
  'reports_off', 'already_reported', 'same_session', 'too_many_reports', 'no_such_report', 'already_decided',
  'banned', 'no_such_notice', 'already_appealed', 'nothing_to_appeal', 'text_too_long', 'text_empty',
]);

/** Our server has answered, and said no. */
export class Refusal extends Error {
  /** @param {string} code */
  constructor(code, waitMs = 0) {
    super(code);
    this.code = code;
    this.waitMs = waitMs;
  }
}

/** Our server has not answered, whatever else did. */
export class Outage extends Error {}

/** @typedef {(body: any) => boolean} IsOurs whether a body has the form that our server gives it */

/** @param {Response} response */
const mediaType = (response) => (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();

/**
 * What a response means: what it holds, or a Refusal or an Outage is thrown.
 * @param {Response} response @param {IsOurs} isOurs @returns {Promise<any>}
 */
async function interpret(response, isOurs) {
  if (response.status === 204 && isOurs(null)) return null;
  const type = mediaType(response);
  const body = /^application\/(problem\+)?json$/.test(type) ? await response.json().catch(() => null) : null;
  if (response.ok && type === 'application/json' && body && isOurs(body)) {
    syncClock(Date.parse(response.headers.get('date') ?? ''));
    return body;
  }
  if (!response.ok && type === 'application/problem+json' && codes.has(body?.code)) {
    throw new Refusal(body.code, Number(body.retry_after_ms) || 0);
  }
  throw new Outage(`${response.status} ${type}`);
}

/** @param {string} path @param {IsOurs} isOurs @param {{ method?: string, token?: string | null, body?: object }} options */
async function request(path, isOurs, { method = 'GET', token = null, body } = {}) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), deadline);
  try {
    const headers = { accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) };
    return await interpret(await fetch(path, { method, headers, body: body ? wellFormedJson(body) : undefined, cache: 'no-store', credentials: 'same-origin', signal: giveUp.signal }), isOurs);
  } catch (error) {
    throw error instanceof Refusal ? error : new Outage(String(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves after `ms`, or as soon as there is a network again.
 * @param {number} ms @returns {Promise<void>}
 */
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
 * @template T
 * @param {() => Promise<T>} question @returns {Promise<T>}
 */
export async function untilAnswered(question, onOutage = () => {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await question();
    } catch (error) {
      onOutage();
      const asked = error instanceof Refusal ? error.waitMs : 0;
      await pause(Math.max(asked, reconnectDelay(attempt, goingAway, Math.random()) ?? 0));
    }
  }
}

export const defaultSite = {
  name: '秘語',
  tagline: '',
  rules: '',
  contact: '',
  topics: /** @type {import('../lib/topics.js').OfferedTopic[]} */ ([]),
  hours: /** @type {import('../ui/hours.js').Opening | null} */ (null),
  // What other devices can open; null: only this machine reaches the server.
  address: /** @type {string | null} */ (null),
  starters: /** @type {import('../model/starters.js').SiteStarter[]} */ ([]),
  minimum_age: 18,
  default_language: 'auto',
  // Not known: what is promised about erasure is the operator's.
  retention_ms: /** @type {number | null} */ (null),
  reconnect_grace_ms: 300_000,
  max_message_chars: 2000,
  max_nickname_chars: 12,
  push: /** @type {Push | null} */ (null),
  options: /** @type {{ reports?: boolean }} */ ({}),
  // No new pairs are made until then; null: they are; absent: a server of before, which tells no notices either.
  maintenance: /** @type {{ until_ms?: number | null } | null | undefined} */ (undefined),
};

/** @typedef {{ key: string, call_for_ms: number }} Push what a site says that calls */
/** @typedef {typeof defaultSite} Site */
/** @typedef {{ room_id: string, active?: boolean, [field: string]: any }} RoomAnswer */

/** @type {IsOurs} */
const isSite = (body) => typeof body?.name === 'string' && typeof body.retention_ms === 'number';
/** @type {IsOurs} */
const isStats = (body) => typeof body?.online === 'number';
/** @type {IsOurs} */
const isRoom = (body) => typeof body?.room_id === 'string';
/** @type {IsOurs} */
const isRooms = (body) => Array.isArray(body?.rooms);

/**
 * What the operator configured.
 * @returns {Promise<Site>}
 */
export const getSite = async () => ({ ...defaultSite, ...(await request('/api/site', isSite)) });

/** Whether an answer of this server arrives, and not one of whatever stands before it. */
export const reachesServer = () => getSite().then(() => true, (error) => error instanceof Refusal);

/** @returns {Promise<{ online: number, waiting: number, rooms: number }>} */
export const getStats = () => request('/api/stats', isStats);

/** How reports are looked at here, by month. @returns {Promise<import('../model/figures.js').Figures>} */
export const getFigures = () => request('/api/transparency', (body) => Array.isArray(body?.months));

/**
 * The rooms of this browser that are open.
 * @returns {Promise<RoomAnswer[]>}
 */
export async function getRooms() {
  /** @type {{ rooms: (RoomAnswer | null)[] }} */
  const { rooms } = await request('/api/rooms/', isRooms);
  return rooms.flatMap((room) => (room && room.active !== false ? [room] : []));
}

/**
 * The room that a token of `match_found` is for, open or closed: no address names it.
 * @param {string} token @returns {Promise<RoomAnswer>}
 */
export const getRoomOf = (token) => request('/api/rooms/current/', isRoom, { token });

/**
 * How many messages of the other side came in this room after `seen`; as many as one answer holds.
 * @param {RoomAnswer} room @param {number} seen @returns {Promise<number>}
 */
export async function countMessages({ room_id: roomId, user_id: own }, seen) {
  const path = `/api/rooms/${encodeURIComponent(roomId)}/messages/?after=${seen}&user_id=${encodeURIComponent(own)}`;
  /** @type {{ entries: any[] }} */
  const { entries } = await request(path, (body) => Array.isArray(body?.entries));
  return entries.filter(({ action, message }) => action === 'new_message' && message?.sender_id !== own).length;
}

/**
 * What this browser blocked, newest first: the rooms where it did, and when.
 * @returns {Promise<import('../model/blocked-names.js').Block[]>}
 */
export const getBlocks = async () => (await request('/api/blocks/', (body) => Array.isArray(body?.blocks))).blocks;

/**
 * Lifts what this browser blocked in that room.
 * @param {string} roomId
 */
export const liftBlock = (roomId) => request(`/api/blocks/${encodeURIComponent(roomId)}/`, (body) => body === null, { method: 'DELETE' });

/**
 * Reports the other side of a room, for as long as the room is there.
 * @param {object} report @param {string | null} [token] of the room
 */
export const postReport = (report, token) => request('/api/reports/', (body) => typeof body?.report_id === 'string', { method: 'POST', token, body: report });

/**
 * What this browser reported, newest first.
 * @returns {Promise<import('../model/report.js').OwnReport[]>}
 */
export const getReports = async () => (await request('/api/reports/', (body) => Array.isArray(body?.reports))).reports;

/** @param {string} id */
export const withdrawReport = (id) => request(`/api/reports/${encodeURIComponent(id)}/`, (body) => body === null, { method: 'DELETE' });

/** What this person was told of decisions, and what holds. @returns {Promise<import('../model/notices.js').Told>} */
export const getNotices = () => request('/api/notices/', (body) => Array.isArray(body?.notices));

/** Says that it was read. @param {string} id */
export const acknowledgeNotice = (id) => request(`/api/notices/${encodeURIComponent(id)}/acknowledge/`, () => true, { method: 'POST' });

/** Asks that a decision be looked at once more. @param {string} id of its notice @param {string} text */
export const postAppeal = (id, text) => request('/api/appeals/', (body) => typeof body?.appeal === 'string', { method: 'POST', body: { notice: id, text } });

/** Ends this browser's session on the server: its rooms, searches and blocks. */
export const forgetBrowser = () => request('/api/session/forget', (body) => body === null, { method: 'POST' });
