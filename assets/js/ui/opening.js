// The opening scene at the head of the log: the two lights overlap as in the
// mark, who this is, who the reader is here, what both share, and the advice.

import { avatarUrl, el } from '../lib/dom.js';
import { language, t, tagLabel } from '../lib/i18n.js';

const moodKey = (mood) => `found.mood.${['happy', 'sad'].includes(mood) ? mood : 'neutral'}`;

export function mountOpening(head) {
  let shown = '';
  head.replaceChildren();

  return {
    /** `me` is how the reader appears in this room; `cutOff`: nothing was heard of it and nothing can be. */
    update(state, me, cutOff = false) {
      const { partner } = state;
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
    el('p', { class: 'opening-line' }, t(moodKey(partner.mood))),
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
