// One conversation as data. `reduceAll(state, events, now)` folds what the
// server said and what this person did into a new state; messages that did not
// change keep their identity, so the page can skip them. Pure: no DOM, no clock.

import { actionKey } from './outbox.js';
import { dropWish, takeReaction, withReactionsOf } from './reactions.js';
import { isAsked } from './room-queries.js';
import { leftFor, readMessage } from './stored-message.js';

/** @typedef {import('./stored-message.js').StoredMessage} StoredMessage */

/**
 * What a socket carries, or what happens on this page: named by `action`, otherwise unchecked.
 * @typedef {{ action: string, [field: string]: any }} Frame
 */

/**
 * @typedef {object} Partner
 * @property {string} [nickname]
 * @property {string} [avatar]
 * @property {string} [mood]
 */

/**
 * A message of ours that is not acknowledged yet.
 * @typedef {object} PendingMessage
 * @property {string} clientId
 * @property {string} content
 * @property {{ id: string, text: string, mine: boolean } | null} [reply]
 * @property {number} [at]
 * @property {string | null} [failed] the code of the error that ended it
 * @property {number} [unanswered] how often it was sent in vain
 */

/**
 * Something asked of the server that is not confirmed yet.
 * @typedef {object} PendingAction
 * @property {'block' | 'leave' | 'recall' | 'delete' | 'react'} kind
 * @property {string} [id] of the message it is about
 * @property {string | null} [clientId] of that message
 * @property {string | null} [reaction] to that message; null: none any more
 * @property {boolean} [leaves] a block: the room is to close by it
 * @property {number} [leftAt] a block: when the room closed
 * @property {number} [unanswered] how often it was sent in vain
 */

/**
 * @typedef {object} Room
 * @property {string} roomId
 * @property {string | null} me our `user_id` in this room
 * @property {Partner | null} partner
 * @property {string[]} commonTags
 * @property {boolean} isBot
 * @property {boolean} sameSession
 * @property {boolean} active
 * @property {boolean} known a room_state has arrived
 * @property {number} lastSeq the last entry seen
 * @property {boolean} anew the server had lost what was here, and the conversation began again with what it has
 * @property {number} targetSeq last_seq of the latest room_state: below it we are replaying
 * @property {StoredMessage[]} messages in seq order
 * @property {PendingMessage[]} pendingMessages in the order written
 * @property {PendingAction[]} pendingActions
 * @property {PendingAction['kind'][]} confirmed kinds of the pending actions that the latest events confirmed
 * @property {string[]} reactedTo ids of messages that the partner reacted to in the latest events
 * @property {boolean} blocked
 * @property {number} partnerRead
 * @property {boolean} partnerTyping
 * @property {boolean} partnerLeaving they pressed Next, and may still come back
 * @property {boolean} partnerOnline
 * @property {number | null} graceEndsAt
 * @property {number | null} erasesAt when a closed room is erased, as the server says
 * @property {number | null} closesAt when the room closes by itself, once that is near
 * @property {boolean} replaced
 * @property {boolean} storeDown
 * @property {{ by: 'me' | 'them', reason: string, gone: null | 'you' | 'partner' | 'both', at: number } | null} ended
 */

// With a server that never says `blocked`, our own departure has to do. One that
// says it also says `unavailable` within this time if only the room was closed.
const blockedPatience = 3000;
// How often one message may fail for a reason of its own before it is said to have failed.
const patienceWithOne = 2;

/**
 * @param {string} roomId @param {PendingMessage[]} pendingMessages @param {PendingAction[]} pendingActions
 * @returns {Room}
 */
export function newRoom(roomId, pendingMessages = [], pendingActions = []) {
  return {
    roomId,
    me: null,
    partner: null,
    commonTags: [],
    isBot: false,
    sameSession: false,
    active: true,
    known: false,
    lastSeq: 0,
    anew: false,
    targetSeq: 0,
    messages: [],
    pendingMessages,
    pendingActions,
    confirmed: [],
    reactedTo: [],
    blocked: false,
    partnerRead: 0,
    partnerTyping: false,
    partnerLeaving: false,
    partnerOnline: true,
    graceEndsAt: null,
    erasesAt: null,
    closesAt: null,
    replaced: false,
    storeDown: false,
    ended: null,
  };
}

/** @param {Room} state @param {Frame} event @param {number} now */
export const reduce = (state, event, now) => reduceAll(state, [event], now);

/** @param {Room} state @param {Frame[]} events @param {number} now @returns {Room} */
export function reduceAll(state, events, now) {
  const draft = { ...state, messages: state.messages.slice(), pendingMessages: state.pendingMessages.slice(), confirmed: [], reactedTo: [] };
  for (const event of events) handlers[event.action]?.(draft, event, now);
  return draft;
}

/** @type {Record<string, (draft: Room, event: Frame, now: number) => void>} */
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
    if (message.mine) dropPendingMessage(draft, message.clientId);
    if (event.message.repeat && message.seq > draft.lastSeq) {
      // An answer outside the stream: the entry itself is still on its way, or
      // was just read from the log. Showing it now and once is enough.
      insert(draft, message);
      return;
    }
    draft.lastSeq = Math.max(draft.lastSeq, message.seq);
    insert(draft, message);
    if (!message.mine) Object.assign(draft, { partnerTyping: false, partnerLeaving: false });
  },

  message_recalled(draft, event) {
    if (typeof event.seq === 'number') draft.lastSeq = Math.max(draft.lastSeq, event.seq);
    const id = String(event.message_id);
    confirm(draft, 'recall', id);
    dropWish(draft, id);
    draft.messages = draft.messages.map((message) => {
      if (message.id === id) return { ...message, content: null, recalled: true, said: leftFor(message), quoteText: null, myReaction: null, theirReaction: null };
      if (message.repliedTo === id && message.quoteText !== null) return { ...message, quoteText: null };
      return message;
    });
  },

  message_deleted(draft, event) {
    const id = String(event.message_id);
    confirm(draft, 'delete', id);
    dropWish(draft, id);
    draft.messages = draft.messages.filter((message) => message.id !== id);
  },

  reaction(draft, event) {
    if (typeof event.seq === 'number') draft.lastSeq = Math.max(draft.lastSeq, event.seq);
    draft.storeDown = false;
    takeReaction(draft, event);
  },

  user_left(draft, event, now) {
    if (typeof event.seq === 'number') draft.lastSeq = Math.max(draft.lastSeq, event.seq);
    draft.active = false;
    draft.partnerTyping = false;
    draft.partnerLeaving = false;
    draft.graceEndsAt = null;
    draft.closesAt = null;
    const mine = event.reason === 'left' && draft.me !== null && event.user_id === draft.me;
    // What was still on its way can no longer be stored.
    draft.pendingMessages = draft.pendingMessages.map((item) => ({ ...item, failed: item.failed ?? 'room_closed' }));
    // Nor is anything reacted to any more.
    draft.pendingActions = draft.pendingActions.filter(({ kind }) => kind !== 'react');
    confirm(draft, 'leave');
    if (mine) changeBlock(draft, (action) => (action.leaves ? { ...action, leftAt: action.leftAt ?? now } : action));
    draft.ended ??= { by: mine ? 'me' : 'them', reason: event.reason ?? 'left', gone: event.gone ?? null, at: now };
  },

  partner_status: (draft, event, now) => setPresence(draft, /** @type {Presence} */ (event), now),

  room_closing(draft, event, now) {
    draft.closesAt = draft.active && typeof event.closes_ms === 'number' ? now + event.closes_ms : null;
  },

  partner_typing(draft, event) {
    draft.partnerTyping = Boolean(event.is_typing) && draft.active;
  },

  partner_leaving(draft, event) {
    draft.partnerLeaving = Boolean(event.is_leaving) && draft.active;
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
      changeBlock(draft, (action) => ({ ...action, leaves: action.leaves && action.leftAt === undefined, leftAt: undefined }));
      return;
    }
    dropRefusedAction(draft, event);
    if (event.client_id) failAgain(draft, (item) => item.clientId === event.client_id, event.code);
  },

  /** These were sent, others were answered, and these were not: each is given a second time, then no third. */
  unanswered(draft, { items }) {
    for (const { clientId, actionKey: key } of items) {
      failAgain(draft, (item) => item.clientId === clientId, 'unanswered');
      draft.pendingActions = draft.pendingActions
        .map((other) => (actionKey(other) === key ? { ...other, unanswered: (other.unanswered ?? 0) + 1 } : other))
        .filter((other) => (other.unanswered ?? 0) < patienceWithOne);
    }
  },

  // What this person does.
  wrote(draft, event) {
    draft.pendingMessages.push({ clientId: event.clientId, content: event.content, reply: event.reply ?? null, at: event.at, failed: event.failed ?? null });
  },

  retry(draft, event) {
    draft.pendingMessages = draft.pendingMessages.map((item) => (item.clientId === event.clientId ? { ...item, failed: null, unanswered: 0 } : item));
  },

  discard: (draft, event) => dropPendingMessage(draft, event.clientId),

  asked(draft, { pendingAction }) {
    // Of one's reactions to a message the last wish counts.
    if (pendingAction.kind === 'react') dropWish(draft, pendingAction.id);
    if (draft.pendingActions.some((other) => actionKey(other) === actionKey(pendingAction))) return;
    const leaves = pendingAction.kind === 'block' && draft.active && !isAsked(draft, 'leave');
    draft.pendingActions = [...draft.pendingActions, leaves ? { ...pendingAction, leaves } : pendingAction];
  },

  blocked: (draft) => confirmBlock(draft),

  /** Some time has passed. */
  waited(draft, event, now) {
    if (draft.pendingActions.some((action) => action.leftAt !== undefined && now - action.leftAt >= blockedPatience)) confirmBlock(draft);
  },
};

/**
 * The log is another one: nothing that names a place in the old one means anything in it.
 * @param {Room} draft
 */
function beginAnew(draft) {
  draft.anew = true;
  draft.messages = [];
  draft.lastSeq = 0;
  draft.partnerRead = 0;
  draft.pendingActions = draft.pendingActions.filter((action) => action.id === undefined);
  draft.pendingMessages = draft.pendingMessages.map((item) => ({ ...item, reply: null }));
}

/**
 * A message failed: for good, or for the first time.
 * @param {Room} draft @param {(item: PendingMessage) => boolean} isIt @param {string} code
 */
function failAgain(draft, isIt, code) {
  draft.pendingMessages = draft.pendingMessages.map((item) => {
    if (!isIt(item) || item.failed) return item;
    const times = (item.unanswered ?? 0) + 1;
    return { ...item, unanswered: times, failed: fatalForMessage.has(code) || times >= patienceWithOne ? code : null };
  });
}

/**
 * The server has done what was asked.
 * @param {Room} draft @param {PendingAction['kind']} kind @param {string} [id]
 */
function confirm(draft, kind, id) {
  const still = draft.pendingActions.filter((action) => action.kind !== kind || (id !== undefined && action.id !== id));
  if (still.length === draft.pendingActions.length) return;
  draft.pendingActions = still;
  draft.confirmed = [...draft.confirmed, kind];
}

/** @param {Room} draft */
function confirmBlock(draft) {
  draft.blocked = true;
  confirm(draft, 'block');
}

/** @param {Room} draft @param {(action: PendingAction) => PendingAction} change */
function changeBlock(draft, change) {
  draft.pendingActions = draft.pendingActions.map((action) => (action.kind === 'block' ? change(action) : action));
}

/** @type {Record<string, PendingAction['kind'][]>} by the code of an error, what it may refuse */
const refusals = {
  already_recalled: ['recall'],
  not_yours: ['recall'],
  no_such_message: ['recall', 'delete'],
  room_closed: ['recall', 'delete'],
  // A frame that is not understood will not be the next time.
  invalid_field: ['recall', 'delete'],
  bad_json: ['recall', 'delete'],
  // A server of before knows no reactions.
  unknown_action: ['recall', 'delete', 'react'],
};

/**
 * Drops the pending action a refusal is about: the one it names, else the oldest it fits.
 * @param {Room} draft @param {Frame} refusal
 */
function dropRefusedAction(draft, { code, client_id: clientId = null, message_id: id }) {
  if (id !== undefined) {
    dropWish(draft, String(id));
    return;
  }
  const kinds = refusals[code] ?? [];
  const isAbout = (/** @type {PendingAction} */ action) => (action.kind === 'recall' ? (action.clientId ?? null) : null) === clientId;
  const about = draft.pendingActions.find((action) => kinds.includes(action.kind) && isAbout(action));
  if (about) draft.pendingActions = draft.pendingActions.filter((action) => action !== about);
}

const fatalForMessage = new Set(['too_long', 'empty', 'room_closed', 'room_full', 'client_id_reused', 'invalid_field', 'not_a_member', 'bad_json', 'unknown_action', 'muted']);

/** @typedef {{ online?: boolean, grace_ends_ms?: number }} Presence */

/** @param {Room} draft @param {Presence} presence @param {number} now */
function setPresence(draft, { online, grace_ends_ms: grace }, now) {
  draft.partnerOnline = online !== false;
  draft.partnerLeaving = false;
  draft.graceEndsAt = !draft.partnerOnline && typeof grace === 'number' ? now + grace : null;
  if (!draft.partnerOnline) draft.partnerTyping = false;
}

/** @param {Room} draft @param {string | null} clientId */
function dropPendingMessage(draft, clientId) {
  draft.pendingMessages = draft.pendingMessages.filter((item) => item.clientId !== clientId);
}

/**
 * Puts a message at its seq; one that is there already is replaced.
 * @param {Room} draft @param {StoredMessage} message
 */
function insert(draft, message) {
  const list = draft.messages;
  let at = list.length;
  while (at > 0 && list[at - 1].seq > message.seq) at -= 1;
  if (at > 0 && list[at - 1].seq === message.seq) {
    const before = list[at - 1];
    list[at - 1] = before.recalled && !message.recalled ? before : withReactionsOf(before, message.recalled ? { ...message, said: leftFor(before) } : message);
    return;
  }
  list.splice(at, 0, message);
}
