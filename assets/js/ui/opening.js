// The opening scene at the head of the log: the two lights overlap as in the
// mark, who this is, who the reader is here, what both share, and the advice.

import { avatarUrl, el } from '../lib/dom.js';
import { language, t, tagLabel } from '../lib/i18n.js';

/** So-so is what one is without having chosen: it is not told. */
const moodLine = ({ mood }) => ['happy', 'sad'].includes(mood) && el('p', { class: 'opening-line' }, t(`found.mood.${mood}`));

/** So many messages, and what was said has taken the place of who said it. */
const begun = 5;

export function mountOpening(head) {
  let shown = '';
  let small = false;
  head.replaceChildren();

  return {
    /** `me` is how the reader appears in this room; `cutOff`: nothing was heard of it and nothing can be; `still`: it may not move what is below. */
    update(state, me, { cutOff = false, still = false } = {}) {
      const { partner } = state;
      small ||= !still && state.messages.length >= begun;
      head.classList.toggle('is-begun', small);
      const unheard = cutOff ? language() : '';
      const key = partner ? JSON.stringify([partner.nickname, partner.avatar, partner.mood, state.commonTags, state.sameSession, state.anew, me.nickname, me.avatar, language()]) : unheard;
      if (key === shown) return;
      shown = key;
      head.replaceChildren(...(partner ? [scene(state, me)] : unheard ? [el('p', { class: 'opening-unheard' }, t('chat.unheard'))] : []));
    },
  };
}

function scene({ partner, commonTags, sameSession, anew }, me) {
  const name = partner.nickname;
  return el(
    'div',
    { class: 'opening' },
    el('p', { class: 'opening-lamps', 'aria-hidden': 'true' }, lamp(me.avatar, 'is-mine'), lamp(partner.avatar, 'is-theirs')),
    el('p', { class: 'opening-title is-meeting' }, t(sameSession ? 'found.self' : 'found.name', { name })),
    el('p', { class: 'opening-line opening-me' }, t('chat.asMe'), ' ', el('b', { dir: 'auto' }, me.nickname)),
    moodLine(partner),
    commonTags.length > 0 && shared(commonTags),
    el('p', { class: 'opening-line opening-safety' }, ...sentences(t('chat.safety'))),
    anew && el('p', { class: 'opening-line', test: 'anew' }, t('chat.anew')),
  );
}

/** A line breaks between sentences rather than in them. */
const sentences = (text) => (text.match(/[^。.]+[。.]\s*/g) ?? [text]).map((sentence) => el('span', {}, sentence));

const lamp = (avatar, side) => el('img', { class: side, src: avatarUrl(avatar), alt: '', width: 88, height: 88 });

function shared(tags) {
  return el('p', { class: 'opening-shared' }, el('span', {}, t('found.shared')), ...tags.flatMap((tag) => [' ', el('span', { class: 'opening-tag', dir: 'auto' }, tagLabel(tag))]));
}
