// What a report of a person carries: why, in whose words, which messages, and the texts of messages that
// were taken back since, with the proofs that came with them. Pure.

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./stored-message.js').StoredMessage} StoredMessage */

/** Why a person is reported, in the order in which it is asked. */
export const reasons = ['harassment', 'sexual', 'minor', 'self_harm', 'spam', 'other'];

export const noteChars = 1000;

// The server takes 50 claims and 64 KiB; most texts are short, so the newest that fit are sent.
const mostClaims = 50;
const claimedBytes = 40_000;

const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(JSON.stringify(text)).length;

/**
 * The other side's messages that were taken back while this page had them, newest last.
 * @param {Room} room
 */
export function claims(room) {
  const taken = [];
  let left = claimedBytes;
  for (const { seq, said } of room.messages.toReversed()) {
    if (!said) continue;
    left -= bytesOf(said.content) + 120;
    if (left < 0 || taken.length >= mostClaims) break;
    taken.unshift({ seq, content: said.content, proof: said.proof, sent_at_ms: said.at });
  }
  return taken;
}

/**
 * The body of `POST /api/reports/`.
 * @param {Room} room @param {{ reason: string, note: string, chosen: StoredMessage | null }} report
 */
export function reportOf(room, { reason, note, chosen }) {
  const body = { room: room.roomId, user_id: room.me, reason, note: note.trim() };
  return { ...body, messages: chosen ? [chosen.id] : [], claims: claims(room) };
}

/** What an answer of the server means to the one who reports: it is there, or what to say. @param {string | null} code */
export function outcomeOf(code) {
  // Made before and not decided yet: what was chosen now is kept with it.
  if (code === null || code === 'already_reported') return { done: true, text: 'report.thanks' };
  /** @type {Record<string, string>} */
  const texts = { reports_off: 'report.off', no_such_room: 'report.gone', too_many_reports: 'report.many', rate_limited: 'report.many', too_long: 'report.long' };
  return { done: false, text: texts[code] ?? 'report.failed' };
}

/**
 * Lines of help, as the words have them: `what|where` a line, where being a number to call or to write to, or a page.
 * @param {string} lines @returns {{ label: string, href: string }[]}
 */
export function helpLines(lines) {
  return lines.split('\n').flatMap((line) => {
    const [label, href = ''] = line.split('|').map((part) => part.trim());
    return label && /^(tel:|sms:|mailto:|https:\/\/)/.test(href) ? [{ label, href }] : [];
  });
}

/** @typedef {{ report_id: string, room_id: string, reason: string, at_ms: number, state: string, acted?: boolean }} OwnReport */

/** The key of the word that says how far a report is. @param {OwnReport} report */
export function stateKey({ state, acted }) {
  if (state !== 'decided') return state === 'open' ? 'reports.open' : 'reports.withdrawn';
  return acted ? 'reports.acted' : 'reports.looked';
}

/**
 * Those that were decided and of which this browser has not been told yet.
 * @param {OwnReport[]} reports @param {string[]} told
 */
export const newlyDecided = (reports, told) => reports.filter(({ report_id: id, state }) => state === 'decided' && !told.includes(id));
