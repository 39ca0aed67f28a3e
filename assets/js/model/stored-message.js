// A message that the server has stored, as read from a frame. Pure.

import { indexOf } from './room-queries.js';

/**
 * @typedef {object} StoredMessage
 * @property {string} id
 * @property {number} seq its place in the log
 * @property {boolean} mine
 * @property {string | null} clientId
 * @property {string} nickname
 * @property {string | null} content null once it is recalled
 * @property {boolean} recalled
 * @property {string | null} proof by which the server knows later that it said so
 * @property {{ content: string, proof: string, at: number } | null} said what the other side took back while this page
 * had it: never shown, and gone with the page; only a report carries it
 * @property {string | null} repliedTo the id of what it quotes
 * @property {string | null} quoteText
 * @property {boolean} quoteMine
 * @property {string | null} myReaction
 * @property {string | null} theirReaction
 * @property {number} at
 */

/** @param {any} raw @param {{ me: string | null, messages: StoredMessage[] }} room @returns {StoredMessage | null} */
export function readMessage(raw, { me, messages }) {
  if (!raw || typeof raw !== 'object') return null;
  const seq = Number(raw.seq ?? raw.id);
  if (!Number.isFinite(seq)) return null;
  return {
    id: String(raw.id ?? seq),
    seq,
    mine: raw.sender_id === me,
    clientId: raw.client_id ?? null,
    nickname: raw.sender_nickname ?? '',
    content: raw.recalled ? null : (raw.content ?? null),
    recalled: Boolean(raw.recalled) || raw.content === null,
    proof: raw.proof ?? null,
    said: null,
    repliedTo: raw.replied_to === null || raw.replied_to === undefined ? null : String(raw.replied_to),
    quoteText: quotedText(raw),
    quoteMine: isMine(raw.replied_to, messages) ?? raw.replied_to_sender === me,
    myReaction: null,
    theirReaction: null,
    at: raw.sent_at_ms ?? 0,
  };
}

/**
 * What a message that is taken back leaves for a report.
 * @param {StoredMessage} message
 */
export function leftFor({ mine, content, proof, said, at }) {
  return mine || content === null || proof === null ? said : { content, proof, at };
}

/**
 * What is quoted; the server cuts what no bubble shows.
 * @param {any} raw @returns {string | null}
 */
function quotedText(raw) {
  const text = raw.replied_to_content ?? null;
  return text !== null && raw.replied_to_cut === true ? `${text}…` : text;
}

/**
 * Whether the message of that id is mine, when it is in the log.
 * @param {unknown} id @param {StoredMessage[]} messages
 */
function isMine(id, messages) {
  if (id === null || id === undefined) return false;
  return messages[indexOf(messages, String(id))]?.mine ?? null;
}
