// The two menus of a conversation: of one message, and of the room. Builds
// their items; what an item does is passed in.

import { copyText } from '../lib/clipboard.js';
import { endOf } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { readReceipts, sound } from '../lib/settings.js';
import { canNotify, notifies, toggleNotifications, toggleSound } from '../ui/alerts.js';
import { openMenu } from '../ui/menu.js';
import { reactionChoices } from '../ui/reactions.js';
import { toast } from '../ui/toast.js';

const onOff = (on) => t(on ? 'menu.on' : 'menu.off');

export function openRoomMenu(button, { canLeave, canBlock, canReport, canSave, onLeave, onBlock, onReport, onSave, onGuide, onForget, onReadReceipts }) {
  const box = button.getBoundingClientRect();
  let menu = null;
  const items = () =>
    [
      { test: 'menu-sound', icon: 'sound', label: t('menu.sound'), value: onOff(sound.get()), checked: sound.get(), onPress: () => (toggleSound(), true) },
      canNotify() && {
        test: 'menu-notify',
        icon: 'bell',
        label: t('menu.notify'),
        value: onOff(notifies()),
        checked: notifies(),
        onPress: () => {
          toggleNotifications().then((done) => {
            menu?.refresh();
            if (!done) toast(t('menu.notifyRefused'));
          });
          return true;
        },
      },
      {
        test: 'menu-read',
        icon: 'check',
        label: t('menu.read'),
        value: onOff(readReceipts.get()),
        checked: readReceipts.get(),
        onPress: () => {
          readReceipts.set(!readReceipts.get());
          onReadReceipts();
          return true;
        },
      },
      canSave && { test: 'menu-save', icon: 'save', label: t('transcript.title'), onPress: () => false, afterClose: onSave },
      { test: 'menu-guide', icon: 'help', label: t('app.guide'), onPress: () => false, afterClose: onGuide },
      canLeave && { test: 'menu-leave', icon: 'leave', label: t('menu.leave'), onPress: () => false, afterClose: onLeave },
      canReport && { test: 'menu-report', icon: 'flag', label: t('menu.report'), apart: true, onPress: () => false, afterClose: onReport },
      canBlock && { test: 'menu-block', icon: 'block', label: t('menu.block'), danger: true, apart: !canReport, onPress: () => false, afterClose: onBlock },
      // Of this browser, not of this conversation; and what cannot be undone stands apart.
      { test: 'menu-forget', icon: 'trash', label: t('menu.forget'), note: t('menu.forgetNote'), apart: true, onPress: () => false, afterClose: onForget },
    ].filter(Boolean);
  menu = openMenu({ label: t('menu.label'), items, at: { x: endOf(box, 240), y: box.bottom + 4 }, anchor: button, className: 'room-menu' });
}

/** `row` is the row of the log (model/rows.js) the menu is about, `about` its bubble. */
export function openMessageMenu(row, at, { about,  canReply, canReport, mine, onReact, onReply, onQuote, onMark, onRecall, onReport, onDelete, onDiscard, onRetry }) {
  const { source } = row;
  const stored = Boolean(source.seq);
  const isTouch = matchMedia('(pointer: coarse)').matches; // a mouse marks words by itself
  const copy = async () => {
    if (await copyText(source.content)) toast(t('mm.copied'));
  };
  const items = () =>
    [
      canReply && stored && !row.recalled && { test: 'mm-reply', icon: 'reply', label: t('mm.reply'), onPress: () => false, afterClose: onReply },
      source.repliedTo && !row.recalled && { test: 'mm-quote', icon: 'up', label: t('mm.quote'), onPress: () => false, afterClose: onQuote },
      !row.recalled && { test: 'mm-copy', icon: 'copy', label: t('mm.copy'), onPress: () => false, afterClose: copy },
      isTouch && !row.recalled && { test: 'mm-mark', icon: 'mark', label: t('mm.mark'), onPress: () => false, afterClose: onMark },
      stored && row.mine && !row.recalled && { test: 'mm-recall', icon: 'recall', label: t('mm.recall'), danger: true, onPress: () => onRecall() },
      canReport && stored && !row.mine && { test: 'mm-report', icon: 'flag', label: t('menu.report'), onPress: () => false, afterClose: onReport },
      stored && { test: 'mm-delete', icon: 'trash', label: t('mm.delete'), onPress: () => onDelete() },
      !stored && row.canRetry && { test: 'mm-retry', icon: 'again', label: t('mm.retry'), onPress: () => onRetry() },
      !stored && { test: 'mm-drop', icon: 'trash', label: t('mm.drop'), danger: true, onPress: () => onDiscard() },
    ].filter(Boolean);
  const choices = canReply && stored && !row.recalled ? reactionChoices(mine, onReact) : null;
  openMenu({ label: t('mm.label'), items, at, choices, about, className: 'message-menu' });
}
