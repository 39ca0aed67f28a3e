// What a person was told of decisions, and by the site, as data: the notices by their
// names, and the ban and the mute that hold. Pure: `now` is an argument.

/**
 * As a socket or `GET /api/notices/` brings it.
 * @typedef {{ id?: unknown, kind?: unknown, [field: string]: any }} RawNotice
 */

/** @typedef {{ notices: RawNotice[], standing?: { ban?: RawNotice | null, mute?: RawNotice | null } }} Told */

/**
 * @typedef {object} Notice
 * @property {string} id
 * @property {string} kind
 * @property {string | null} rule
 * @property {string} text the operator's: any characters at all
 * @property {number} from
 * @property {number | null} until
 * @property {boolean} automatic
 * @property {string} appeal `possible`, `pending`, `decided` or `none`
 * @property {boolean} read confirmed, as the server says
 * @property {boolean | null} acted of an outcome
 */

/** @typedef {{ rule: string | null, until: number | null }} Sanction */
/** @typedef {{ list: readonly Notice[], ban: Sanction | null, mute: Sanction | null }} Notices newest first */

/** @type {Notices} */
export const noNotices = { list: [], ban: null, mute: null };

const kinds = new Set(['warning', 'mute', 'ban', 'lifted', 'outcome', 'broadcast', 'maintenance']);
const toAll = new Set(['broadcast', 'maintenance']);

/** @param {unknown} value */
const textOf = (value) => (typeof value === 'string' ? value : null);
/** @param {unknown} value */
const momentOf = (value) => (Number.isFinite(value) ? Number(value) : null);

/**
 * Null: a kind that these pages do not know, or not a notice at all.
 * @param {RawNotice | null | undefined} raw @returns {Notice | null}
 */
function readNotice(raw) {
  if (typeof raw?.id !== 'string' || typeof raw.kind !== 'string' || !kinds.has(raw.kind)) return null;
  return {
    id: raw.id,
    kind: raw.kind,
    text: textOf(raw.text) ?? '',
    from: momentOf(raw.from_ms) ?? 0,
    automatic: raw.automatic === true,
    appeal: textOf(raw.appeal) ?? 'none',
    read: raw.confirmed === true,
    acted: typeof raw.acted === 'boolean' ? raw.acted : null,
    ...sanctionOf(raw),
  };
}

/** @param {RawNotice} raw @returns {Sanction} */
const sanctionOf = (raw) => ({ rule: textOf(raw.rule), until: momentOf(raw.until_ms) });

/** @param {Notice} a @param {Notice} b */
const newestFirst = (a, b) => b.from - a.from;

/** Whether words to all people are among them. @param {Notices} state */
export const saysToAll = ({ list }) => list.some(({ kind }) => toAll.has(kind));

/** Of words to all people: they are told again, and ended as they began. @param {Notice} notice */
const isTakenBack = ({ kind, from, until }) => toAll.has(kind) && until !== null && until <= from;

/**
 * A socket has told one, or that it was taken back.
 * @param {Notices} state @param {RawNotice} raw @returns {Notices}
 */
export function hear(state, raw) {
  const notice = readNotice(raw);
  if (!notice) return state;
  const before = state.list.find(({ id }) => id === notice.id);
  const rest = state.list.filter((other) => other !== before);
  if (isTakenBack(notice)) return before ? { ...state, list: rest } : state;
  const list = [{ ...notice, read: notice.read || Boolean(before?.read) }, ...rest].sort(newestFirst);
  return { ...state, list, ...(notice.kind === 'mute' || notice.kind === 'ban' ? { [notice.kind]: notice } : {}) };
}

/**
 * The server was asked: what it says takes the place of what was known, but of words to all people that a socket
 * told since it was asked, of which the answer may not know.
 * @param {Notices} state @param {Told} told @param {Notices} [asked] what was known when it was asked @returns {Notices}
 */
export function learn(state, { notices, standing }, asked = state) {
  const list = notices.flatMap((raw) => readNotice(raw) ?? []);
  const isHere = (/** @type {readonly Notice[]} */ those, /** @type {string} */ name) => those.some(({ id }) => id === name);
  const others = state.list.filter(({ id, kind }) => toAll.has(kind) && !isHere(list, id) && !isHere(asked.list, id));
  const sanction = (/** @type {RawNotice | null | undefined} */ raw) => (raw ? sanctionOf(raw) : null);
  return { list: [...list, ...others].sort(newestFirst), ban: sanction(standing?.ban), mute: sanction(standing?.mute) };
}

/**
 * The person has read it.
 * @param {Notices} state @param {string} id @returns {Notices}
 */
export const markRead = (state, id) => ({ ...state, list: state.list.map((notice) => (notice.id === id ? { ...notice, read: true } : notice)) });

/**
 * Whether it holds at that moment.
 * @param {Sanction | null} sanction @param {number} now
 */
export const holds = (sanction, now) => sanction !== null && (sanction.until === null || sanction.until > now);

/**
 * What an operator answered to an appeal against this; an outcome names the rule of what was appealed.
 * @param {Notices} state @param {Notice} notice
 */
export const answerTo = ({ list }, { appeal, rule, from }) => (appeal === 'decided' && list.findLast((it) => it.kind === 'outcome' && it.rule === rule && it.from >= from)) || null;

/**
 * Whether it tells of a mute or a ban that is no more: its time is over, or it was lifted.
 * @param {Notices} state @param {Notice} notice @param {number} now
 */
export const isOver = (state, notice, now) => (notice.kind === 'mute' || notice.kind === 'ban') && !(holds(notice, now) && holds(state[notice.kind], now));

/**
 * The newest of its kind that holds.
 * @param {Notices} state @param {string} kind @param {number} now
 */
export const latest = ({ list }, kind, now) => list.find((notice) => notice.kind === kind && holds(notice, now)) ?? null;

/**
 * What tells of the mute or the ban that holds. A network's has none, and one that was lifted may lie beside it.
 * @param {Notices} state @param {'mute' | 'ban'} kind @param {number} now
 */
export function noticeOf(state, kind, now) {
  const standing = state[kind];
  const alike = state.list.filter((notice) => notice.kind === kind && notice.rule === standing?.rule && holds(notice, now));
  return alike.find(({ until }) => until === standing?.until) ?? alike[0] ?? null;
}

/**
 * What has to be read before the next search, the oldest first.
 * @param {Notices} state
 */
export const toRead = ({ list }) => list.filter(({ kind, read }) => kind === 'warning' && !read).reverse();
