// The bar over a conversation: who is there, are they, Next, and the menu button.

import { avatarUrl, byTest, setCounting, setHidden, setText } from '../lib/dom.js';
import { around, t, tagList } from '../lib/i18n.js';
import { minutesSeconds } from '../lib/time.js';

export function mountRoomHeader(header, { onNext, onMenu }) {
  const avatar = header.querySelector('.room-avatar');
  const name = byTest('partner-name', header);
  const status = byTest('partner-status', header);
  const next = byTest('next', header);
  const menu = byTest('menu', header);

  next.addEventListener('click', () => onNext());
  menu.addEventListener('click', () => onMenu(menu));

  function paintStatus(state, now) {
    const counts = state.active && !state.partnerOnline && state.graceEndsAt !== null;
    if (counts) setCounting(status, around('partner.awayShort', 't'), minutesSeconds(state.graceEndsAt - now));
    else setText(status, statusText(state));
  }

  function statusText(state) {
    if (!state.active) return t('chat.ended');
    if (!state.partnerOnline) return t('chat.offline');
    if (state.partnerLeaving) return t('chat.leaving');
    const both = state.commonTags.length > 0 ? [t('chat.both', { tags: tagList(state.commonTags) })] : [];
    return [t('chat.online'), ...both].join(' · ');
  }

  return {
    avatar,
    /** `cutOff`: whether this page itself has lost its connection, and knows nothing of the partner but who it is. */
    update(state, { now, cutOff = false, partner = state.partner }) {
      setHidden(next, !state.active);
      setText(next, t('next'));
      header.classList.toggle('is-away', state.active && !isHere(state));
      header.classList.toggle('is-over', !state.active);
      setHidden(header.querySelector('.room-bot'), !state.isBot);
      if (cutOff && state.active) setText(status, t('chat.cutOff'));
      else if (state.partner) paintStatus(state, now);
      else setText(status, t('chat.opening'));
      if (!partner) return;
      const url = avatarUrl(partner.avatar);
      if (avatar.src !== url) avatar.src = url;
      avatar.alt = t(`avatar.${safeAvatar(partner.avatar)}`);
      setText(name, partner.nickname);
    },
  };
}

/** Whether the partner is there, and means to stay. */
export const isHere = ({ partnerOnline, partnerLeaving }) => partnerOnline && !partnerLeaving;

export const safeAvatar = (value) => Math.min(20, Math.max(1, Number.parseInt(value, 10) || 1));
