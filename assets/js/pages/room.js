// One conversation on the page, while it runs: the state (room-state.js), the
// socket (room-connection.js), what the person does (room-actions.js), what is
// said (room-notices.js) and what is shown (room-view.js), put together.

import { callMe } from '../lib/call-me.js';
import { t } from '../lib/i18n.js';
import { monotonicNow, syncClock } from '../lib/time.js';
import { countNew, isNoShow, lastSeqOfPartner } from '../model/room-queries.js';
import { announce, toast } from '../ui/toast.js';
import { startBackgroundOutbox, stopBackgroundOutbox } from './background-outbox.js';
import { hesitate } from './departure.js';
import { createReading } from './reading.js';
import { createRoomActions } from './room-actions.js';
import { openRoomConnection } from './room-connection.js';
import { announceChanges, createConnectionNotices, explainError } from './room-notices.js';
import { createEventBatch, createHistory, createRoomState } from './room-state.js';
import { loadDraft, saveDraft, sideOf } from './room-storage.js';
import { createRoomView } from './room-view.js';
import { createPartnerSign, createReadReceipts, createTyping } from './typing-and-receipts.js';

const tickEvery = 1000;

export class OpenRoom {
  #page; // what it was opened with: { roomId, ui, section, getSite, getProfile, onGone, onNext }
  #state;
  #history;
  #batch;
  #connection;
  #notices;
  #typing;
  #partnerTyping;
  #partnerLeaving;
  #readReceipts;
  #reading;
  #view;
  #ticker;
  #closed = false;
  #ending = null; // End chat was pressed, and may still be taken back
  #suspended = false; // Next was pressed, and may still be taken back: nothing is shown
  #render = () => this.render();

  constructor(page) {
    const { roomId, ui } = page;
    stopBackgroundOutbox(roomId);
    this.#page = page;
    this.#state = createRoomState(roomId);
    this.#history = createHistory({ onComplete: this.#render });
    this.#batch = createEventBatch({ awaitedSeq: () => (this.#history.isComplete() ? 0 : this.#room.targetSeq), onBatch: (events) => this.#fold(events) });
    this.#notices = createConnectionNotices();
    this.#connection = this.#connect();
    this.#typing = createTyping((isTyping) => this.#room.active && this.#connection.send({ action: 'typing', is_typing: isTyping }));
    this.#partnerTyping = createPartnerSign(() => this.#act({ action: 'partner_typing', is_typing: false }));
    this.#partnerLeaving = createPartnerSign(() => this.#act({ action: 'partner_leaving', is_leaving: false }));
    this.#readReceipts = createReadReceipts((seq) => this.#connection.send({ action: 'read', seq }));
    this.#reading = createReading({ roomId, log: ui.log });
    this.#view = createRoomView(page);
    /** What the person does: send, reply, recall, block, leave. */
    this.actions = this.#createActions();
    this.#ticker = setInterval(() => this.#tick(), tickEvery);
    document.addEventListener('visibilitychange', this.#render);
    ui.log.clear();
    ui.composer.setText(loadDraft(roomId));
    this.actions.setReply(null);
    this.render();
  }

  get roomId() {
    return this.#page.roomId;
  }

  get #room() {
    return this.#state.get();
  }

  #connect() {
    return openRoomConnection({
      roomId: this.#page.roomId,
      getState: this.#state.get,
      onEvent: (event) => {
        if (event.now_ms) syncClock(event.now_ms);
        if (event.action === 'room_state' && event.active) this.callMe();
        this.#batch.push(event);
      },
      onStatus: (status) => {
        this.#notices.follow(status);
        this.render();
      },
      onGone: () => this.#gone(),
    });
  }

  #createActions() {
    const { roomId, getSite, getProfile } = this.#page;
    const myName = () => (sideOf(roomId).profile ?? getProfile()).nickname;
    const core = { getState: this.#state.get, getSite, myName, act: (event) => this.#act(event), stop: () => this.stop() };
    return createRoomActions({ core, connection: this.#connection, ui: this.#page.ui, typing: this.#typing, readReceipts: this.#readReceipts, onNext: () => this.#page.onNext(this), onLeave: () => this.#hesitate() });
  }

  /** Takes in what the server said. */
  #fold(events) {
    if (this.#closed) return;
    const now = monotonicNow();
    const before = this.#room;
    const wasComplete = this.#history.isComplete();
    this.#state.apply(events, now);
    const after = this.#room;
    if (events.some((event) => event.anew)) this.#beginAnew();
    // What was read may have been told to a dead socket, or while another tab spoke.
    if (events.some((event) => event.action === 'room_state')) this.#readReceipts.forget();
    this.#history.follow(after, now);
    const added = wasComplete ? countNew(before, after) : 0;
    // History is no news; what came right behind it is.
    this.#show(added, !wasComplete && after.lastSeq <= after.targetSeq);
    if (wasComplete && !this.#suspended) announceChanges(before, after, added);
    this.#explain(events, before);
    this.#partnerTyping.follow(after.partnerTyping);
    this.#partnerLeaving.follow(after.partnerLeaving);
    if (isNoShow(before, after)) this.#goOn();
    else if (!after.active) this.#end();
  }

  #explain(events, before) {
    const limit = this.#page.getSite().max_message_chars;
    for (const event of events) if (event.action === 'error') explainError(event, this.#room, limit);
    const gaveUp = this.#room.pendingActions.length < before.pendingActions.length;
    if (gaveUp && events.some((event) => event.action === 'unanswered')) toast(t('err.other'));
  }

  /** The partner never came: on to the next without a press. What is being written is not taken away. */
  #goOn() {
    const isWriting = loadDraft(this.#page.roomId) !== '';
    this.#end();
    if (this.#closed || this.#suspended || isWriting) return;
    toast(t('end.goesOn', { name: this.#room.partner?.nickname ?? '' }));
    this.actions.next();
  }

  /** What is quoted is not there any more, or is something else by now. */
  #beginAnew() {
    this.actions.setReply(null);
    this.#history.restart();
    announce(t('chat.anew'));
  }

  /** The field goes: what stands in it is shown as not sent. */
  #end() {
    this.#stay();
    this.actions.closed();
    const left = this.#page.ui.composer.take();
    saveDraft(this.#page.roomId, '');
    if (left !== '') this.actions.keepUnsent(left);
  }

  /** The server knows no such room; what was written there is shown. */
  #gone() {
    this.#state.dropPendingActions();
    this.stop();
    this.#page.onGone();
  }

  /** What this person does changes the state at once, before the server knows. */
  #act(event) {
    if (this.#closed) return;
    this.#state.apply([event], monotonicNow());
    this.render();
  }

  #tick() {
    this.#connection.watch();
    if (this.#room.pendingActions.length > 0) this.#act({ action: 'waited' });
    else this.render();
  }

  render() {
    if (!this.#closed) this.#show(0, !this.#history.isComplete());
  }

  #show(added, still) {
    if (this.#suspended) return;
    const now = monotonicNow();
    const banner = this.#notices.bannerKind(this.#room, this.#state.pendingSince(), now);
    this.#notices.announceBanner(banner);
    this.#view.show(this.#room, { still, added, banner, now, reading: this.#reading, isEnding: this.#ending !== null });
    this.#tellRead();
  }

  #tellRead() {
    const room = this.#room;
    if (!this.#history.isComplete() || !room.active || room.replaced || document.hidden) return;
    if (this.#page.ui.log.isAtBottom()) this.#readReceipts.seen(lastSeqOfPartner(room), this.#connection.isOpen());
  }

  isOpen() {
    return this.#room.active;
  }

  /** Called when a connection has entered, and when the site has said whether it calls people. */
  callMe() {
    if (this.#connection.isOpen()) callMe(this.#page.getSite(), this.#connection.send);
  }

  partnerName() {
    return this.#room.partner?.nickname ?? '';
  }

  /** The partner is told, so that they do not go on writing to a person who may be gone. */
  #tellLeaving(isLeaving) {
    this.#connection.send({ action: 'leaving', is_leaving: isLeaving });
  }

  /** End chat: it ends in a moment. Until then it is shown, and can be taken back. */
  #hesitate() {
    if (this.#ending || !this.#room.active) return;
    this.#typing.changed('');
    this.#tellLeaving(true);
    const onBack = () => {
      this.#ending = null;
      this.#tellLeaving(false);
      this.render();
      this.#page.ui.composer.focus();
    };
    this.#ending = hesitate({ bar: this.#page.ui.endBar, name: this.partnerName(), onBack, onOver: () => this.leaveNow() });
    this.render();
  }

  /** It is not waited for any more. Whether it was. */
  #stay() {
    const ending = this.#ending;
    this.#ending = null;
    ending?.end(() => {});
    return ending !== null;
  }

  /** Who goes elsewhere while it could be taken back has left. */
  leaveNow() {
    if (this.#stay()) this.actions.leave();
  }

  /** Goes on without showing anything: it may be left in a moment. */
  suspend() {
    this.#stay();
    this.#typing.changed('');
    this.#tellLeaving(true);
    this.#suspended = true;
  }

  resume() {
    this.#suspended = false;
    this.#tellLeaving(false);
    this.render();
  }

  /** Leaves for good, and goes on when the server has said so, or soon. */
  leave(then) {
    this.actions.leaveAndGo(() => {
      this.stop();
      then();
    });
  }

  /** The text in the composer is now this. */
  wrote(text) {
    if (this.#room.active) saveDraft(this.#page.roomId, text);
    this.#typing.changed(text);
    this.#view?.showStarters(this.#room, { still: !this.#history.isComplete(), now: monotonicNow() });
  }

  /** Makes this tab the one that the server talks to. */
  continueHere() {
    if (this.#notices.isStopped()) this.#connection.revive();
    else this.#connection.reconnect();
  }

  stop() {
    if (this.#closed) return;
    this.#closed = true;
    this.#stay();
    clearInterval(this.#ticker);
    this.#partnerTyping.stop();
    this.#partnerLeaving.stop();
    document.removeEventListener('visibilitychange', this.#render);
    this.#typing.stop();
    this.#connection.close();
    // What is not confirmed yet goes on without a page of its own.
    startBackgroundOutbox(this.#page.roomId);
  }
}
