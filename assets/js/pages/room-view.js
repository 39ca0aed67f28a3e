// Shows a conversation's state on all its parts at once. Decides nothing but
// words: the state is model/room.js, the parts are in ui/.

import { el, setHidden } from '../lib/dom.js';
import { language, t, tagList } from '../lib/i18n.js';
import { minutesSeconds } from '../lib/time.js';
import { setTitle } from '../ui/alerts.js';
import { ownLine } from '../ui/side-card.js';
import { sideOf } from './room-storage.js';

const moodKey = (mood) => `found.mood.${['happy', 'sad'].includes(mood) ? mood : 'neutral'}`;

export function createRoomView({ roomId, ui, section, getSite, getProfile }) {
  const head = section.querySelector('[data-slot="log-head"]');
  let headShown = '';

  const me = () => sideOf(roomId).profile ?? getProfile();

  function meetingLine(state) {
    const name = state.partner.nickname;
    if (state.sameSession) return t('found.self', { name });
    if (state.commonTags.length > 0) return t('found.tags', { name, tags: tagList(state.commonTags) });
    return t('found.plain', { name });
  }

  function showHead(state) {
    if (!state.partner) {
      if (headShown !== '') head.replaceChildren();
      headShown = '';
      return;
    }
    const text = meetingLine(state);
    const shown = `${text}|${state.anew ? t('chat.anew') : ''}`;
    if (headShown === shown) return;
    headShown = shown;
    head.replaceChildren(
      el('p', { class: 'system-line is-meeting' }, text, language() === 'en' ? ' ' : '', t(moodKey(state.partner.mood))),
      el('p', { class: 'system-line' }, t('chat.safety')),
      ownLine(me()),
      ...(state.anew ? [el('p', { class: 'system-line', test: 'anew' }, t('chat.anew'))] : []),
    );
  }

  /** The composer is about to go: a keyboard focus in it moves to what replaces it. */
  function moveFocusOn(state, now) {
    const hadFocus = !state.active && !ui.composer.element.hidden && ui.composer.element.contains(document.activeElement);
    setHidden(ui.composer.element, !state.active);
    ui.endCard.update(state, getSite().retention_ms, now);
    if (hadFocus) section.querySelector('.end-title')?.focus({ preventScroll: true });
  }

  head.replaceChildren();
  return {
    meetingLine,
    show(state, { still, added, banner, now }) {
      const { name } = getSite();
      ui.header.update(state, now);
      ui.side.update(state, me());
      ui.banner.update(banner, minutesSeconds((state.closesAt ?? now) - now));
      showHead(state);
      ui.log.update(state, { still, names: { partner: state.partner?.nickname ?? '', bot: state.isBot }, added });
      moveFocusOn(state, now);
      section.classList.toggle('is-away', state.active && !state.partnerOnline);
      setTitle(state.partner ? t('title', { what: state.partner.nickname, site: name }) : name);
    },
  };
}
