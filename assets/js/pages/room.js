// One conversation on the page, while it runs: folds what happens into
// model/room.js and has it shown. Deeds are room-deeds.js, the socket is
// room-link.js, words and parts are room-view.js.

import { t } from '../lib/i18n.js';
import { minutesSeconds, serverSaid, ticks } from '../lib/time.js';
import { asksBeforeLeaving, isReplaying, lastSeqOfPartner, newRoom, nobodyCame, reduceAll } from '../model/room.js';
import { alertMessage, countUnread } from '../ui/alerts.js';
import { endTitle } from '../ui/end-card.js';
import { announce, toast } from '../ui/toast.js';
import { createDeeds } from './room-deeds.js';
import { openRoomLink } from './room-link.js';
import { createRoomView } from './room-view.js';
import { runErrand, stopErrand, tellConfirmed } from './errands.js';
import { loadDeeds, loadDraft, loadPending, rememberSide, saveDeeds, saveDraft, savePending } from './sides.js';
import { createReadMarks, createTyping } from './signals.js';

const bannerAfter = 2000;
const deedAfter = 2000;
const replayQuiet = 400;
const replayBatch = 150;
const partnerTypingFor = 7000;

export function openRoom({ roomId, ui, section, getSite, getProfile, onGone, onNext }) {
  stopErrand(roomId);
  let state = newRoom(roomId, loadPending(roomId), loadDeeds(roomId));
  let queue = [];
  let scheduled = false;
  let closed = false;
  let settled = false; // the first history is in
  let lastEventAt = ticks();
  let status = 'connecting';
  let lostAt = ticks();
  let saidLost = null; // which of the banners about a lost connection was read out
  let owedSince = null; // since when something asked for is not confirmed
  let typingTimer = null;

  const view = createRoomView({ roomId, ui, section, getSite, getProfile });
  const link = openRoomLink({ roomId, getState: () => state, onEvent: take, onStatus, onGone: gone });
  const typing = createTyping((isTyping) => state.active && link.send({ action: 'typing', is_typing: isTyping }));
  const marks = createReadMarks((seq) => link.send({ action: 'read', seq }));
  const deeds = createDeeds({ core: { getState: () => state, act, stop }, link, ui, typing, marks, onNext });
  const ticker = setInterval(tick, 1000);
  document.addEventListener('visibilitychange', render);
  ui.log.clear();
  ui.composer.setText(loadDraft(roomId));
  deeds.setReply(null);
  render();

  /** Frames are folded together, so that a long history is drawn once. */
  function take(event) {
    if (event.now_ms) serverSaid(event.now_ms);
    queue.push(event);
    if (scheduled) return;
    scheduled = true;
    let ran = false;
    const run = () => {
      if (ran) return;
      ran = true;
      fold();
    };
    // A hidden page gets no animation frames; the timer serves it.
    const replaying = !settled && state.known;
    if (!document.hidden && !replaying) requestAnimationFrame(run);
    setTimeout(run, replaying ? replayBatch : 60);
  }

  function fold() {
    scheduled = false;
    if (closed || queue.length === 0) return;
    const events = queue;
    queue = [];
    lastEventAt = ticks();
    const before = state;
    const wasSettled = settled;
    change(events, lastEventAt);
    if (events.some((event) => event.anew)) beganAnew();
    if (state.me && state.me !== before.me) rememberSide(roomId, { user_id: state.me });
    // What was read may have been told to a dead socket, or while another tab spoke.
    if (events.some((event) => event.action === 'room_state')) marks.forget();
    settle();
    const added = wasSettled ? countNew(before, state) : 0;
    // History is no news; what came right behind it is.
    show(added, !wasSettled && state.lastSeq <= state.targetSeq);
    if (wasSettled) tell(before, added);
    for (const event of events) if (event.action === 'error') explain(event);
    if (events.some((event) => event.action === 'unanswered') && state.deeds.length < before.deeds.length) toast(t('err.other'));
    watchTyping();
    if (nobodyCame(before, state)) goOn();
    else if (!state.active) ended();
  }

  /** The one who was led to a person who is gone need not press; what is being written is not taken away. */
  function goOn() {
    const isWriting = loadDraft(roomId) !== '';
    ended();
    if (closed || isWriting) return;
    toast(t('end.goesOn', { name: state.partner?.nickname ?? '' }));
    deeds.next();
  }

  /** What is quoted is not there any more, or is something else by now. */
  function beganAnew() {
    deeds.setReply(null);
    settled = false;
    announce(t('chat.anew'));
  }

  /** The field goes: what stands in it is shown as not sent. */
  function ended() {
    deeds.closed();
    const left = ui.composer.take();
    saveDraft(roomId, '');
    if (left !== '') deeds.keepUnsent(left);
  }

  function change(events, now) {
    state = reduceAll(state, events, now);
    savePending(roomId, state.pending);
    saveDeeds(roomId, state.deeds);
    owedSince = state.deeds.length > 0 ? (owedSince ?? now) : null;
    tellConfirmed(state.confirmed);
  }

  function countNew(before, after) {
    const old = before.messages.at(-1)?.seq ?? 0;
    let count = 0;
    for (let at = after.messages.length - 1; at >= 0 && after.messages[at].seq > old; at -= 1) if (!after.messages[at].mine) count += 1;
    return count;
  }

  /** History is in when its last entry is, or when nothing came for a while. */
  function settle() {
    if (settled || !state.known) return;
    if (!isReplaying(state)) settled = true;
    else setTimeout(() => ticks() - lastEventAt >= replayQuiet && finishReplay(), replayQuiet + 20);
  }

  function finishReplay() {
    if (settled || closed) return;
    settled = true;
    render();
  }

  /** The other side's dots end by themselves, should their end be lost. */
  function watchTyping() {
    clearTimeout(typingTimer);
    if (state.partnerTyping) typingTimer = setTimeout(() => act({ action: 'partner_typing', is_typing: false }), partnerTypingFor);
  }

  function tell(before, added) {
    if (added > 0) {
      alertMessage();
      countUnread(added);
    }
    const name = state.partner?.nickname ?? '';
    if (before.active && !state.active && before.known) announce(endTitle(state));
    else if (state.active && before.partnerOnline && !state.partnerOnline) announce(t('partner.away', { name, t: minutesSeconds((state.graceEndsAt ?? 0) - ticks()) }));
    else if (state.active && !before.partnerOnline && state.partnerOnline) announce(t('partner.back', { name }));
    if (before.closesAt === null && state.closesAt !== null) announce(t('chat.closing', { t: minutesSeconds(state.closesAt - ticks()) }));
    if (before.pending.some((item) => !item.failed) && state.pending.some((item) => item.failed)) announce(t('msg.failed'));
  }

  function explain({ code, client_id: clientId }) {
    const silent = ['unavailable', 'unknown_action', 'already_recalled', 'client_id_reused'];
    if (silent.includes(code) || (code === 'room_closed' && !clientId)) return;
    const known = ['too_long', 'room_closed', 'room_full', 'no_such_message'];
    const words = t(known.includes(code) ? `err.${code}` : 'err.other', { n: getSite().max_message_chars });
    // About a message on its way: the bubble itself says it. About anything else: here.
    if (state.pending.some((item) => item.clientId === clientId)) announce(words);
    else toast(words);
  }

  function onStatus(next) {
    if (next === 'lost' && status === 'open') lostAt = ticks();
    status = next;
    if (next === 'open' && saidLost) {
      saidLost = null;
      toast(t('net.back'));
    }
    render();
  }

  function bannerKind(now) {
    if (state.replaced) return 'replaced';
    if (status === 'stopped' || status === 'blocked') return status;
    const isLost = status !== 'open' && now - lostAt > bannerAfter;
    const isOwed = state.deeds.length > 0 && (isLost || state.storeDown || now - (owedSince ?? now) > deedAfter);
    if (isLost) return isOwed ? 'lostDeed' : 'lost';
    if (state.storeDown && state.pending.some((item) => !item.failed)) return 'store';
    if (isOwed) return 'deed';
    if (state.closesAt !== null) return 'closing';
    return null;
  }

  function tick() {
    link.watch();
    if (state.deeds.length > 0) act({ action: 'waited' });
    else render();
  }

  function render() {
    if (!closed) show(0);
  }

  function show(added, still = !settled) {
    const now = ticks();
    const banner = bannerKind(now);
    if (['lost', 'lostDeed', 'blocked'].includes(banner) && saidLost !== banner) {
      saidLost = banner;
      announce(t(`net.${banner}`));
    }
    view.show(state, { still, added, banner, now });
    markRead();
  }

  function markRead() {
    if (!settled || !state.active || state.replaced || document.hidden) return;
    if (ui.log.isAtBottom()) marks.seen(lastSeqOfPartner(state), link.isOpen());
  }

  /** What this person does changes the state at once, before the server knows. */
  function act(event) {
    if (closed) return;
    change([event], ticks());
    render();
  }

  /** What was asked for in a room that is no more is void; what was written there is shown. */
  function gone() {
    saveDeeds(roomId, []);
    state = { ...state, deeds: [] };
    stop();
    onGone();
  }

  function stop() {
    if (closed) return;
    closed = true;
    clearInterval(ticker);
    clearTimeout(typingTimer);
    document.removeEventListener('visibilitychange', render);
    typing.stop();
    link.close();
    ui.header.disarm();
    // What is not confirmed yet goes on without a page of its own.
    runErrand(roomId);
  }

  return {
    ...deeds,
    needsSecondPress: () => state.active && asksBeforeLeaving(state),
    render,
    seen: render,
    quote: (id) => ui.log.glow(id),
    wrote(text) {
      if (state.active) saveDraft(roomId, text);
      typing.changed(text);
    },
    continueHere() {
      if (status === 'stopped') link.revive();
      else link.reconnect();
    },
    stop,
  };
}
