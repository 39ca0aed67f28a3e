// One conversation as data. `reduceAll(state, events, now)` folds what the
// server said and what this person did into a new state; messages that did not
// change keep their identity, so the page can skip them. Pure: no DOM, no clock.

import { deedKey } from './outbox.js';

// With a server that never says `blocked`, our own departure has to do. One that
// says it also says `unavailable` within this time if only the room was closed.
const blockedPatience = 3000;
// How often one message may fail for a reason of its own before it is said to have failed.
const patienceWithOne = 2;

export function newRoom(roomId, pending = [], deeds = []) {
  return {
    roomId,
    me: null,
    partner: null,
    commonTags: [],
    isBot: false,
    sameSession: false,
    active: true,
    known: false, // a room_state has arrived
    lastSeq: 0, // the last entry seen
    anew: false, // the server had lost what was here, and the conversation began again with what it has
    targetSeq: 0, // last_seq of the latest room_state: below it we are replaying
    messages: [], // in seq order, stored by the server
    pending, // ours, not yet acknowledged, in the order written
    deeds, // asked for and not yet confirmed: { kind: block|leave|recall|delete, id?, clientId? }
    confirmed: [], // kinds of the deeds that the latest events confirmed
    blocked: false,
    partnerRead: 0,
    partnerTyping: false,
    partnerOnline: true,
    graceEndsAt: null,
    erasesAt: null, // when a closed room is erased, as the server says
    closesAt: null, // when the room closes by itself, once that is near
    replaced: false,
    storeDown: false,
    ended: null, // { by: 'me' | 'them', reason, gone: null | 'you' | 'partner' | 'both', at }
  };
}

export const reduce = (state, event, now) => reduceAll(state, [event], now);

export function reduceAll(state, events, now) {
  const draft = { ...state, messages: state.messages.slice(), pending: state.pending.slice(), confirmed: [] };
  for (const event of events) handlers[event.action]?.(draft, event, now);
  return draft;
}

export const isReplaying = (state) => !state.known || state.lastSeq < state.targetSeq;

const handlers = {
  room_state(draft, event, now) {
    if (event.anew) beginAnew(draft);
    draft.known = true;
    draft.replaced = false;
    draft.storeDown = false;
    draft.me = event.user_id ?? draft.me;
    draft.partner = event.partner ?? draft.partner;
    draft.commonTags = event.common_tags ?? draft.commonTags;
    draft.isBot = Boolean(event.is_bot);
    draft.sameSession = Boolean(event.same_session);
    draft.active = event.active !== false;
    draft.erasesAt = typeof event.erases_ms === 'number' ? now + event.erases_ms : null;
    draft.targetSeq = event.last_seq ?? draft.targetSeq;
    draft.partnerRead = Math.max(draft.partnerRead, event.partner_read ?? 0);
    draft.partnerTyping = false;
    setPresence(draft, event.partner ?? {}, now);
  },

  new_message(draft, event) {
    const message = readMessage(event.message, draft);
    if (!message) return;
    draft.storeDown = false;
    if (message.recalled) confirm(draft, 'recall', message.id);
    if (message.mine) dropPending(draft, message.clientId);
    if (event.message.repeat && message.seq > draft.lastSeq) {
      // An answer outside the stream: the entry itself is still on its way, or
      // was just read from the log. Showing it now and once is enough.
      insert(draft, message);
      return;
    }
    draft.lastSeq = Math.max(draft.lastSeq, message.seq);
    insert(draft, message);
    if (!message.mine) draft.partnerTyping = false;
  },

  message_recalled(draft, event) {
    if (typeof event.seq === 'number') draft.lastSeq = Math.max(draft.lastSeq, event.seq);
    const id = String(event.message_id);
    confirm(draft, 'recall', id);
    draft.messages = draft.messages.map((message) => {
      if (message.id === id) return { ...message, content: null, recalled: true, quoteText: null };
      if (message.repliedTo === id && message.quoteText !== null) return { ...message, quoteText: null };
      return message;
    });
  },

  message_deleted(draft, event) {
    const id = String(event.message_id);
    confirm(draft, 'delete', id);
    draft.messages = draft.messages.filter((message) => message.id !== id);
  },

  user_left(draft, event, now) {
    if (typeof event.seq === 'number') draft.lastSeq = Math.max(draft.lastSeq, event.seq);
    draft.active = false;
    draft.partnerTyping = false;
    draft.graceEndsAt = null;
    draft.closesAt = null;
    const mine = event.reason === 'left' && draft.me !== null && event.user_id === draft.me;
    // What was still on its way can no longer be stored.
    draft.pending = draft.pending.map((item) => ({ ...item, failed: item.failed ?? 'room_closed' }));
    confirm(draft, 'leave');
    if (mine) changeBlock(draft, (deed) => (deed.leaves ? { ...deed, leftAt: deed.leftAt ?? now } : deed));
    draft.ended ??= { by: mine ? 'me' : 'them', reason: event.reason ?? 'left', gone: event.gone ?? null, at: now };
  },

  partner_status: (draft, event, now) => setPresence(draft, event, now),

  room_closing(draft, event, now) {
    draft.closesAt = draft.active && typeof event.closes_ms === 'number' ? now + event.closes_ms : null;
  },

  partner_typing(draft, event) {
    draft.partnerTyping = Boolean(event.is_typing) && draft.active;
  },

  partner_read(draft, event) {
    draft.partnerRead = Math.max(draft.partnerRead, event.seq ?? 0);
  },

  replaced(draft) {
    draft.replaced = true;
  },

  error(draft, event) {
    if (event.code === 'unavailable') {
      draft.storeDown = true;
      // A room may close although the block could not be kept: leaving proves nothing then.
      changeBlock(draft, (deed) => ({ ...deed, leaves: deed.leaves && deed.leftAt === undefined, leftAt: undefined }));
      return;
    }
    refuseDeed(draft, event);
    if (event.client_id) failAgain(draft, (item) => item.clientId === event.client_id, event.code);
  },

  /** These were said, others were answered, and these were not: each is given a second time, then no third. */
  unanswered(draft, { items }) {
    for (const { clientId, deed } of items) {
      failAgain(draft, (item) => item.clientId === clientId, 'unanswered');
      draft.deeds = draft.deeds
        .map((other) => (deedKey(other) === deed ? { ...other, unanswered: (other.unanswered ?? 0) + 1 } : other))
        .filter((other) => !(other.unanswered >= patienceWithOne));
    }
  },

  // What this person does.
  wrote(draft, event) {
    draft.pending.push({ clientId: event.clientId, content: event.content, reply: event.reply ?? null, at: event.at, failed: event.failed ?? null });
  },

  retry(draft, event) {
    draft.pending = draft.pending.map((item) => (item.clientId === event.clientId ? { ...item, failed: null, unanswered: 0 } : item));
  },

  discard: (draft, event) => dropPending(draft, event.clientId),

  asked(draft, { deed }) {
    if (draft.deeds.some((other) => deedKey(other) === deedKey(deed))) return;
    const leaves = deed.kind === 'block' && draft.active && !draft.deeds.some((other) => other.kind === 'leave');
    draft.deeds = [...draft.deeds, leaves ? { ...deed, leaves } : deed];
  },

  blocked(draft) {
    draft.blocked = true;
    confirm(draft, 'block');
  },

  /** Some time has passed. */
  waited(draft, event, now) {
    if (draft.deeds.some((deed) => deed.leftAt !== undefined && now - deed.leftAt >= blockedPatience)) handlers.blocked(draft);
  },
};

/** The log is another one: nothing that names a place in the old one means anything in it. */
function beginAnew(draft) {
  draft.anew = true;
  draft.messages = [];
  draft.lastSeq = 0;
  draft.partnerRead = 0;
  draft.deeds = draft.deeds.filter((deed) => deed.id === undefined);
  draft.pending = draft.pending.map((item) => ({ ...item, reply: null }));
}

/**
 * What a reconnect says it has: the newest message of the stream, by its place
 * and its time, so that the server sees whether its log has the same one.
 */
export function placeIn({ messages, lastSeq }) {
  const last = messages.findLast((message) => message.seq <= lastSeq);
  return { after: last?.seq ?? 0, after_sent_at_ms: last?.at || undefined };
}

/** A message failed: for good, or for the first time. */
function failAgain(draft, isIt, code) {
  draft.pending = draft.pending.map((item) => {
    if (!isIt(item) || item.failed) return item;
    const times = (item.unanswered ?? 0) + 1;
    return { ...item, unanswered: times, failed: fatalForMessage.has(code) || times >= patienceWithOne ? code : null };
  });
}

function confirm(draft, kind, id) {
  const still = draft.deeds.filter((deed) => deed.kind !== kind || (id !== undefined && deed.id !== id));
  if (still.length === draft.deeds.length) return;
  draft.deeds = still;
  draft.confirmed = [...draft.confirmed, kind];
}

function changeBlock(draft, change) {
  draft.deeds = draft.deeds.map((deed) => (deed.kind === 'block' ? change(deed) : deed));
}

const refusals = {
  already_recalled: ['recall'],
  not_yours: ['recall'],
  no_such_message: ['recall', 'delete'],
  room_closed: ['recall', 'delete'],
  // A frame that is not understood will not be the next time.
  invalid_field: ['recall', 'delete'],
  bad_json: ['recall', 'delete'],
  unknown_action: ['recall', 'delete'],
};

/** Ends the deed a refusal is about: the one it names, else the oldest it fits. */
function refuseDeed(draft, { code, client_id: clientId = null }) {
  const kinds = refusals[code] ?? [];
  const about = draft.deeds.find((deed) => kinds.includes(deed.kind) && (deed.kind === 'recall' ? (deed.clientId ?? null) : null) === clientId);
  if (about) draft.deeds = draft.deeds.filter((deed) => deed !== about);
}

/** Whether `kind` was asked for and is still to be confirmed. */
export const isAsked = (state, kind) => state.deeds.some((deed) => deed.kind === kind);

const fatalForMessage = new Set(['too_long', 'empty', 'room_closed', 'room_full', 'client_id_reused', 'invalid_field', 'not_a_member', 'bad_json', 'unknown_action']);

function setPresence(draft, { online, grace_ends_ms: grace }, now) {
  draft.partnerOnline = online !== false;
  draft.graceEndsAt = !draft.partnerOnline && typeof grace === 'number' ? now + grace : null;
  if (!draft.partnerOnline) draft.partnerTyping = false;
}

function dropPending(draft, clientId) {
  draft.pending = draft.pending.filter((item) => item.clientId !== clientId);
}

/** Puts a message at its seq; one that is there already is replaced. */
function insert(draft, message) {
  const list = draft.messages;
  let at = list.length;
  while (at > 0 && list[at - 1].seq > message.seq) at -= 1;
  if (at > 0 && list[at - 1].seq === message.seq) {
    const before = list[at - 1];
    list[at - 1] = before.recalled && !message.recalled ? before : message;
    return;
  }
  list.splice(at, 0, message);
}

function readMessage(raw, { me, messages }) {
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
    repliedTo: raw.replied_to === null || raw.replied_to === undefined ? null : String(raw.replied_to),
    quoteText: quotedText(raw),
    quoteMine: isMine(raw.replied_to, messages) ?? raw.replied_to_sender === me,
    at: raw.sent_at_ms ?? 0,
  };
}

/** What is quoted; the server cuts what no bubble shows. */
function quotedText(raw) {
  const text = raw.replied_to_content ?? null;
  return text !== null && raw.replied_to_cut === true ? `${text}…` : text;
}

/** Whether the message of that id is mine, when it is in the log. */
function isMine(id, messages) {
  if (id === null || id === undefined) return false;
  return messages[placeOf(messages, String(id))]?.mine ?? null;
}

/** Where the message of that id stands, or -1. An id is its seq, as far as we know: looked for there first. */
export function placeOf(messages, id) {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle].seq < Number(id)) low = middle + 1;
    else high = middle;
  }
  return messages[low]?.id === id ? low : messages.findLastIndex((message) => message.id === id);
}

/** Whether the conversation has just ended without having begun: the one we were to meet never came. */
export function nobodyCame(before, after) {
  return before.known && before.active && !after.active && after.ended?.reason === 'no_show' && after.messages.every((message) => message.mine);
}

/** Both have said something: leaving then needs a second press. */
export function bothSpoke(state) {
  const mine = state.pending.length > 0 || state.messages.some((message) => message.mine);
  return mine && state.messages.some((message) => !message.mine);
}

/** Whether leaving asks twice: also while it is not known yet who has spoken. */
export const asksBeforeLeaving = (state) => isReplaying(state) || bothSpoke(state);

export function lastSeqOfPartner(state) {
  for (let at = state.messages.length - 1; at >= 0; at -= 1) {
    if (!state.messages[at].mine) return state.messages[at].seq;
  }
  return 0;
}

export function minutesTalked(state) {
  if (state.messages.length === 0) return 0;
  const first = state.messages[0].at;
  const last = state.messages[state.messages.length - 1].at;
  return Math.max(1, Math.round((last - first) / 60_000));
}
