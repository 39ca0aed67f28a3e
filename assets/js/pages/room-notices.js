// What is said about a conversation besides its messages: the banner about the
// connection and what waits for it, announcements of what has changed, and why
// something was refused. Words only; where they stand is in ui/.

import { t } from '../lib/i18n.js';
import { minutesSeconds, monotonicNow } from '../lib/time.js';
import { alertEnd, alertMessage, countUnread } from '../ui/alerts.js';
import { knownReaction } from '../model/reactions.js';
import { indexOf } from '../model/room-queries.js';
import { beginning } from '../model/text.js';
import { endTitle } from '../ui/end-card.js';
import { announce, toast } from '../ui/toast.js';

const lostBannerAfter = 2000;
const pendingBannerAfter = 2000;
const announcedText = 40;

/** Follows the connection, and chooses the banner: one at a time, the gravest first. */
export function createConnectionNotices() {
  let status = 'connecting';
  let lostAt = monotonicNow();
  let takeBackOnline = () => {}; // the word that it is there again, when it is not any more
  let announced = null; // which of the banners about a lost connection was read out

  return {
    isStopped: () => status === 'stopped',
    follow(next) {
      if (next === 'lost' && status === 'open') {
        lostAt = monotonicNow();
        takeBackOnline();
      }
      status = next;
      if (next !== 'open' || !announced) return;
      announced = null;
      takeBackOnline = toast(t('net.back'));
    },
    /** The kind of the banner (ui/banner.js), or null; `pendingSince` is since when an action is not confirmed. */
    bannerKind(room, pendingSince, now) {
      if (room.replaced) return 'replaced';
      if (status === 'stopped' || status === 'blocked') return status;
      const isLost = status !== 'open' && now - lostAt > lostBannerAfter;
      const isPending = room.pendingActions.length > 0 && (isLost || room.storeDown || now - (pendingSince ?? now) > pendingBannerAfter);
      if (isLost) return isPending ? 'lostPending' : 'lost';
      if (room.storeDown && room.pendingMessages.some((item) => !item.failed)) return 'store';
      if (isPending) return 'pending';
      return room.closesAt === null ? null : 'closing';
    },
    /** Reads out the banner of a lost connection, once. */
    announceBanner(kind) {
      if (!['lost', 'lostPending', 'blocked'].includes(kind) || announced === kind) return;
      announced = kind;
      announce(t(`net.${kind}`));
    },
  };
}

/** Reads out what has changed from one state of the room to the next, `added` messages of the partner among it. */
export function announceChanges(before, after, added) {
  if (added > 0) {
    alertMessage();
    countUnread(added);
  }
  const name = after.partner?.nickname ?? '';
  const until = (moment) => minutesSeconds((moment ?? 0) - monotonicNow());
  const wentAway = after.active && before.partnerOnline && !after.partnerOnline;
  const cameBack = after.active && !before.partnerOnline && after.partnerOnline;
  const hasFailed = (room) => room.pendingMessages.some((item) => item.failed);
  // That it is over may be known before why it is: who was away hears of both when the connection is there again.
  if (before.known && !before.ended && after.ended) {
    announce(endTitle(after));
    if (after.ended.by === 'them' && after.ended.reason === 'left') alertEnd();
  }
  if (wentAway) announce(t('partner.away', { name, t: until(after.graceEndsAt) }));
  else if (cameBack) announce(t('partner.back', { name }));
  if (before.closesAt === null && after.closesAt !== null) announce(t('chat.closing', { t: until(after.closesAt) }));
  if (before.pendingMessages.some((item) => !item.failed) && hasFailed(after)) announce(t('msg.failed'));
  announceReactions(before, after, name);
}

/** Says how the partner reacts now to messages that they reacted to; that it was taken back shows, and is no news. */
function announceReactions(before, after, name) {
  for (const id of new Set(after.reactedTo)) {
    const [old, message] = [before, after].map(({ messages }) => messages[indexOf(messages, id)]);
    const reaction = knownReaction(message?.theirReaction);
    if (reaction === null || reaction === old?.theirReaction) continue;
    announce(t('react.by', { name, reaction: t(`react.${reaction}`), text: beginning(message.content ?? '', announcedText) }));
  }
}

const silentErrors = ['unavailable', 'unknown_action', 'already_recalled', 'client_id_reused', 'muted'];
const explainedErrors = ['too_long', 'room_closed', 'room_full', 'no_such_message', 'too_many_reactions'];

/** Says why the server refused something; `limit` is the number of characters a message may have. */
export function explainError({ code, client_id: clientId }, room, limit) {
  if (silentErrors.includes(code) || (code === 'room_closed' && !clientId)) return;
  const words = t(explainedErrors.includes(code) ? `err.${code}` : 'err.other', { n: limit });
  // About a message on its way: the bubble itself says it. About anything else: here.
  if (room.pendingMessages.some((item) => item.clientId === clientId)) announce(words);
  else toast(words);
}
