// What a person does in a conversation: write, reply, react, recall, block, leave. Each
// action is written into the state and sent as soon as it may be; it is done only
// when the server's answer says so. `core` is the running room (room.js).

import { t } from '../lib/i18n.js';
import { randomId } from '../lib/id.js';
import { once, oneAtATime } from '../lib/press.js';
import { now } from '../lib/time.js';
import { chosen, reactionsAt, wishFor } from '../model/reactions.js';
import { canBlock, hasWords, isAsked, isOver } from '../model/room-queries.js';
import { askBlock } from '../ui/block-sheet.js';
import { forgetThisBrowser } from '../ui/forget.js';
import { openGuide } from '../ui/guide.js';
import { rememberBlocked } from '../ui/kept-names.js';
import { markWords } from '../ui/marking.js';
import { toast } from '../ui/toast.js';
import { openMessageMenu, openRoomMenu } from './room-menus.js';
import { isMuted } from './notices.js';
import { createReporting } from './room-report.js';
import { rememberSide } from './room-storage.js';

const leavePatience = 1500;

export function createRoomActions({ core, connection, ui, typing, readReceipts, onNext, onLeave }) {
  let reply = null;
  let leaving = null;
  const state = () => core.getState();
  const partnerName = () => state().partner?.nickname ?? '';
  const canSpeak = () => state().active && !isMuted();

  function send(content) {
    core.act({ action: 'wrote', clientId: `m-${randomId(18)}`, content, reply, at: now() });
    setReply(null);
    typing.sent();
    ui.log.toBottom(false);
    connection.flush();
  }

  /** A text that the end of the room came before: shown as not sent, to be copied or dropped. */
  function keepUnsent(content) {
    core.act({ action: 'wrote', clientId: `m-${randomId(18)}`, content, reply: null, at: now(), failed: 'room_closed' });
  }

  /** Asks the server for something until it is confirmed or refused. */
  function ask(pendingAction) {
    core.act({ action: 'asked', pendingAction });
    connection.flush();
  }

  function setReply(quoted) {
    reply = quoted;
    ui.composer.showReply(reply, partnerName());
    if (reply) ui.composer.focus();
  }

  /** The stored or pending message an element of the log stands for. */
  function rowOf({ dataset }) {
    const stored = dataset.seq ? state().messages.find((message) => message.seq === Number(dataset.seq)) : null;
    const source = stored ?? state().pendingMessages.find((item) => item.clientId === dataset.clientId);
    return source ? { source, mine: dataset.mine === 'true', recalled: Boolean(source.recalled), canRetry: canSpeak() && Boolean(source.failed) } : null;
  }

  function replyTo(node) {
    const row = rowOf(node);
    if (!row?.source.seq || row.recalled || !canSpeak()) return;
    setReply({ id: row.source.id, text: row.source.content, mine: row.mine });
  }

  /** One's own reaction to a message, as it is shown. */
  const myReaction = (source) => reactionsAt(source, wishFor(state().pendingActions, source.id)).mine;

  /** Reacts to the message of this element; the same again takes it back. */
  function react(node, reaction) {
    const row = rowOf(node);
    if (!row?.source.seq || row.recalled || !canSpeak()) return;
    ask({ kind: 'react', id: row.source.id, reaction: chosen(myReaction(row.source), reaction) });
  }

  function messageMenu(node, at) {
    const row = rowOf(node);
    if (!row) return;
    const { id, clientId } = row.source;
    openMessageMenu(row, at, {
      about: node.querySelector('.bubble'),
      canReply: canSpeak(),
      canReport: reporting.isOffered(),
      mine: row.source.seq ? myReaction(row.source) : null,
      onReact(reaction) {
        react(node, reaction);
        // One writes on, where that brings no keyboard over the words.
        if (matchMedia('(hover: hover)').matches) ui.composer.focus();
      },
      onReply: () => replyTo(node),
      onQuote: () => ui.log.glow(row.source.repliedTo, true),
      onMark: () => markWords(node),
      onRecall: () => ask({ kind: 'recall', id, clientId }),
      onReport: () => reporting.open(row.source),
      onDelete: () => ask({ kind: 'delete', id }),
      onRetry: () => retry(node),
      onDiscard: () => core.act({ action: 'discard', clientId }),
    });
  }

  function retry({ dataset }) {
    if (!canSpeak()) return;
    core.act({ action: 'retry', clientId: dataset.clientId });
    connection.flush();
  }

  /** Leaves for good and goes on; the server's word is awaited only briefly, and the wish is kept until it comes. */
  function leaveAndGo(then) {
    if (leaving) return;
    const go = once(then);
    leaving = go;
    if (state().active) leave();
    if (state().active && connection.isOpen()) setTimeout(go, leavePatience);
    else go();
  }

  function leave() {
    ask({ kind: 'leave' });
  }

  function blockNow() {
    rememberBlocked(state().roomId, state().partner);
    rememberSide(state().roomId, { blocked: true });
    ask({ kind: 'block' });
  }

  const reporting = createReporting({ core, block: blockNow });
  const block = oneAtATime(async () => {
    if (await askBlock(partnerName(), { isOver: isOver(state()) })) blockNow();
  });

  /** What asks, and makes the file, is loaded then; without a server it is the service worker's. */
  const save = oneAtATime(() =>
    import('../ui/transcript-sheet.js').then(({ saveTranscript }) => saveTranscript(core)).catch(() => toast(t('app.failed'))));

  function roomMenu(button) {
    openRoomMenu(button, {
      canSave: hasWords(state()),
      onSave: save,
      canLeave: state().active && !isAsked(state(), 'leave'),
      canBlock: canBlock(state()),
      onLeave,
      onBlock: block,
      onGuide: () => openGuide(core.getSite()),
      canReport: reporting.isOffered(),
      onReport: () => reporting.open(),
      onForget: forgetThisBrowser,
      onReadReceipts: () => readReceipts.forget(),
    });
  }

  return {
    send,
    keepUnsent,
    setReply,
    replyTo,
    react,
    messageMenu,
    retry,
    next: onNext,
    leave,
    leaveAndGo,
    block,
    report: () => reporting.open(),
    save,
    roomMenu,
    /** Called when the room has closed: a person who pressed Next goes on. */
    closed: () => leaving?.(),
  };
}
