// The card beside a conversation on a wide screen: who they are to you, and who
// you are to them. Their gender is not shown, here or anywhere.

import { avatarUrl, el } from '../lib/dom.js';
import { t, tagLabel } from '../lib/i18n.js';
import { safeAvatar } from './room-header.js';

export function mountSideCard(aside) {
  let shown = '';
  return {
    update(state, me) {
      if (!state.partner) return;
      const key = JSON.stringify([state.partner.nickname, state.partner.avatar, state.partner.mood, state.commonTags, me, t('chat.asMe')]);
      if (key === shown) return;
      shown = key;
      aside.replaceChildren(...them(state), el('p', { class: 'side-safety' }, t('chat.safety')), ownLine(me));
    },
  };
}

function them({ partner, commonTags }) {
  const avatar = safeAvatar(partner.avatar);
  const chips = commonTags.map((tag) => el('li', { class: 'side-tag', dir: 'auto' }, tagLabel(tag)));
  return [
    el('img', { class: 'avatar side-avatar', src: avatarUrl(avatar), alt: t(`avatar.${avatar}`), width: 88, height: 88 }),
    el('p', { class: 'side-name', dir: 'auto' }, partner.nickname),
    // So-so is what one is without having chosen: it is not told.
    ['happy', 'sad'].includes(partner.mood) && el('p', { class: 'side-mood' }, t(`moodOf.${partner.mood}`)),
    chips.length > 0 && el('ul', { class: 'side-tags' }, ...chips),
  ].filter(Boolean);
}

/** "You are … here". */
function ownLine(me) {
  return el(
    'p',
    { class: 'own-line' },
    el('img', { class: 'avatar', src: avatarUrl(me.avatar), alt: t(`avatar.${safeAvatar(me.avatar)}`), width: 28, height: 28 }),
    el('span', {}, t('chat.asMe'), ' ', el('b', { dir: 'auto' }, me.nickname)),
  );
}
