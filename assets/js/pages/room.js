// One conversation on the page: folds what happens into model/room.js and shows
// the result. Returns when the person goes on; which page follows is chat.js's.

import { avatarUrl, byTest, el, setHidden } from '../lib/dom.js';
import { randomId } from '../lib/id.js';
import { t, tagList } from '../lib/i18n.js';
import { minutesSeconds } from '../lib/time.js';
import { bothSpoke, isReplaying, lastSeqOfPartner, newRoom, reduceAll } from '../model/room.js';
import { alertMessage, countUnread, setTitle } from '../ui/alerts.js';
import { askBlock } from '../ui/block-sheet.js';
import { endTitle } from '../ui/end-card.js';
import { hoursOf } from '../ui/guide.js';
import { ownLine } from '../ui/side-card.js';
import { announce, toast } from '../ui/toast.js';
import { openMessageMenu, openRoomMenu } from './room-actions.js';
import { openRoomLink } from './room-link.js';
import { createReadMarks, createTyping } from './signals.js';
import { loadDraft, loadPending, rememberSide, saveDraft, savePending, sideOf } from './sides.js';

const bannerAfter = 2000;
const replayQuiet = 400;
const leavePatience = 1500;

export function openRoom({ roomId, ui, section, getSite, getProfile, onGone, onNext }) {
  let state = newRoom(roomId, loadPending(roomId));
  let queue = [];
  let scheduled = false;
  let closed = false;
  let settled = false; // the first history is in
  let lastEventAt = Date.now();
  let status = 'connecting';
  let lostAt = Date.now();
  let wasLost = false;
  let reply = null;
  let leaving = null;
  let headShown = '';

  const link = openRoomLink({
    roomId,
    getState: () => state,
    onEvent: take,
    onStatus,
    onGone() {
      stop();
      onGone();
    },
  });
  const typing = createTyping((isTyping) => state.active && link.send({ action: 'typing', is_typing: isTyping }));
  const marks = createReadMarks((seq) => link.send({ action: 'read', seq }));
  /** Frames are folded together, so that a long history is drawn once. */
  function take(event) {
    queue.push(event);
    // A reconnect asks for `after` what was seen: the order of frames decides.
    if (scheduled) return;
    scheduled = true;
    let ran = false;
    const run = () => {
      if (ran) return;
      ran = true;
      fold();
    };
    if (!document.hidden) requestAnimationFrame(run);
    setTimeout(run, 60);
  }

  function fold() {
    scheduled = false;
    if (closed || queue.length === 0) return;
    const events = queue;
    queue = [];
    lastEventAt = Date.now();
    const before = state;
    state = reduceAll(state, events, lastEventAt);
    savePending(roomId, state.pending);
    if (state.me && state.me !== before.me) rememberSide(roomId, { user_id: state.me });
    settle();
    const added = settled ? countNew(before, state) : 0;
    show(added);
    if (settled) tell(before, added);
    for (const event of events) if (event.action === 'error') explain(event);
    if (leaving && !state.active) leaving();
  }

  function countNew(before, after) {
    const old = before.messages.at(-1)?.seq ?? 0;
    return after.messages.filter((message) => message.seq > old && !message.mine).length;
  }

  /** History is in when its last entry is, or when nothing came for a while. */
  function settle() {
    if (settled || !state.known) return;
    if (!isReplaying(state)) settled = true;
    else setTimeout(() => Date.now() - lastEventAt >= replayQuiet && finishReplay(), replayQuiet + 20);
  }

  function finishReplay() {
    if (settled || closed) return;
    settled = true;
    render();
  }

  function tell(before, added) {
    if (added > 0) {
      alertMessage();
      countUnread(added);
    }
    const name = state.partner?.nickname ?? '';
    if (before.active && !state.active && before.known) announce(endTitle(state));
    else if (before.partnerOnline && !state.partnerOnline) announce(t('partner.away', { name, t: minutesSeconds((state.graceEndsAt ?? 0) - Date.now()) }));
    else if (!before.partnerOnline && state.partnerOnline && state.active) announce(t('partner.back', { name }));
  }

  function explain({ code, client_id: clientId }) {
    if (code === 'unavailable' || code === 'unknown_action' || code === 'already_recalled') return;
    const known = ['too_long', 'room_closed', 'room_full', 'no_such_message'];
    if (code === 'room_closed' && !clientId) return;
    announce(t(known.includes(code) ? `err.${code}` : 'err.other', { n: getSite().max_message_chars }));
  }

  function onStatus(next) {
    if (next === 'lost' && status !== 'lost') lostAt = Date.now();
    status = next;
    if (next === 'open' && wasLost) {
      wasLost = false;
      toast(t('net.back'));
    }
    render();
  }

  function bannerKind() {
    if (state.replaced) return 'replaced';
    if (status === 'stopped') return 'stopped';
    if (status !== 'open' && Date.now() - lostAt > bannerAfter) return 'lost';
    if (state.storeDown && state.pending.length > 0) return 'store';
    return null;
  }

  function tick() {
    link.watch();
    render();
  }

  function render() {
    if (!closed) show(0);
  }

  function show(added) {
    const now = Date.now();
    const names = { partner: state.partner?.nickname ?? '', bot: state.isBot };
    const kind = bannerKind();
    if (kind === 'lost' && !wasLost) {
      wasLost = true;
      announce(t('net.lost'));
    }
    ui.header.update(state, now);
    ui.side.update(state, me());
    ui.banner.update(kind);
    showHead();
    ui.log.update(state, { still: !settled, names, added });
    setHidden(ui.composer.element, !state.active);
    ui.endCard.update(state, hoursOf(getSite()));
    section.classList.toggle('is-settled', settled);
    setTitle(state.partner ? `${state.partner.nickname} · ${getSite().name}` : getSite().name);
    markRead();
  }

  function markRead() {
    if (!settled || !state.active || state.replaced || document.hidden || !ui.log.isAtBottom()) return;
    if (document.hasFocus()) marks.seen(lastSeqOfPartner(state), link.isOpen());
  }

  function me() {
    return sideOf(roomId).profile ?? { nickname: getProfile().nickname, avatar: getProfile().avatar };
  }

  function showHead() {
    if (!state.partner) return;
    const text = meetingLine();
    if (headShown === text) return;
    headShown = text;
    section.querySelector('[data-slot="log-head"]').replaceChildren(
      el('p', { class: 'system-line is-meeting' }, text),
      el('p', { class: 'system-line' }, t('chat.safety')),
      ownLine(me()),
    );
  }

  function meetingLine() {
    const name = state.partner.nickname;
    if (state.sameSession) return t('found.self', { name });
    if (sideOf(roomId).met_before) return t('found.repeat', { name });
    if (state.commonTags.length > 0) return t('found.tags', { name, tags: tagList(state.commonTags) });
    return t('found.plain', { name });
  }

  /** What this person does changes the state at once, before the server knows. */
  function act(event) {
    state = reduceAll(state, [event], Date.now());
    savePending(roomId, state.pending);
    render();
  }

  function send(content) {
    const clientId = `m-${randomId(18)}`;
    act({ action: 'wrote', clientId, content, reply, at: Date.now() });
    setReply(null);
    typing.sent();
    ui.log.toBottom(false);
    link.sendMessage(state.pending.at(-1));
  }

  function setReply(next) {
    reply = next;
    ui.composer.showReply(reply, state.partner?.nickname ?? '');
    if (reply) ui.composer.focus();
  }

  function rowOf(node) {
    const { seq, clientId } = node.dataset;
    const stored = seq ? state.messages.find((message) => message.seq === Number(seq)) : null;
    const source = stored ?? state.pending.find((item) => item.clientId === clientId);
    return source ? { source, mine: node.dataset.mine === 'true', recalled: Boolean(source.recalled) } : null;
  }

  function replyTo(node) {
    const row = rowOf(node);
    if (!row?.source.seq || row.recalled || !state.active) return;
    setReply({ id: row.source.id, text: row.source.content, mine: row.mine });
  }

  function messageMenu(node, at) {
    const row = rowOf(node);
    if (!row) return;
    openMessageMenu(row, at, {
      canReply: state.active,
      onReply: () => replyTo(node),
      onRecall: () => link.sendSurely({ action: 'recall_message', message_id: row.source.id }),
      onDelete() {
        link.sendSurely({ action: 'delete_message', message_id: row.source.id });
        toast(t('mm.deleted'));
      },
      onDiscard: () => act({ action: 'discard', clientId: row.source.clientId }),
    });
  }

  function retry(node) {
    const { clientId } = node.dataset;
    if (!state.active) return;
    act({ action: 'retry', clientId });
    const item = state.pending.find((pending) => pending.clientId === clientId);
    if (item) link.sendMessage(item);
  }

  function leave() {
    link.sendSurely({ action: 'find_next' });
  }

  /** Leaves for good and goes on; the server's word is awaited only briefly. */
  function next() {
    const go = () => {
      clearTimeout(timer);
      stop();
      onNext();
    };
    const timer = setTimeout(go, state.active && link.isOpen() ? leavePatience : 0);
    if (!state.active) return;
    leaving = go;
    leave();
  }

  async function block() {
    if (!(await askBlock(state.partner?.nickname ?? ''))) return;
    link.sendSurely({ action: 'block' });
    act({ action: 'blocked' });
    toast(t('block.done'));
  }

  function roomMenu(button) {
    openRoomMenu(button, {
      canLeave: state.active,
      canBlock: !state.blocked && !state.isBot,
      needsSecondPress: () => bothSpoke(state),
      onLeave: leave,
      onBlock: block,
      onReadMarks: () => marks.forget(),
    });
  }

  function stop() {
    if (closed) return;
    closed = true;
    clearInterval(ticker);
    document.removeEventListener('visibilitychange', render);
    removeEventListener('focus', render);
    typing.stop();
    link.close();
    ui.header.disarm();
  }

  const ticker = setInterval(tick, 1000);
  document.addEventListener('visibilitychange', render);
  addEventListener('focus', render);
  ui.log.clear();
  ui.composer.setText(loadDraft(roomId));
  ui.composer.showReply(null);
  render();

  return {
    isActive: () => state.active,
    needsSecondPress: () => state.active && bothSpoke(state),
    render,
    send,
    setReply,
    replyTo,
    messageMenu,
    retry,
    roomMenu,
    block,
    next,
    seen: render,
    quote: (id) => ui.log.glow(id),
    wrote(text) {
      saveDraft(roomId, text);
      typing.changed(text);
    },
    continueHere() {
      if (status === 'stopped') link.revive();
      else link.reconnect();
    },
    stop,
  };
}
