// Shows a conversation's state on all its parts at once. Decides nothing but
// words: the state is model/room.js, the parts are in ui/.

import { setHidden } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { startersIn } from '../lib/starters.js';
import { minutesSeconds, monotonicNow } from '../lib/time.js';
import { isAsked, isOver } from '../model/room-queries.js';
import { followOffer, isFolded, newOffer, openRound, startersFor } from '../model/starters.js';
import { setTitle } from '../ui/alerts.js';
import { mountOpening } from '../ui/opening.js';
import { isHere } from '../ui/room-header.js';
import { isMuted } from './notices.js';
import { sideOf } from './room-storage.js';

/** The banners of a page that hears nothing itself. */
const cutOffBanners = new Set(['lost', 'lostPending', 'blocked', 'stopped']);

export function createRoomView({ roomId, ui, section, getSite, getProfile }) {
  const opening = mountOpening(section.querySelector('[data-slot="log-head"]'));

  let offer = newOffer(monotonicNow());
  let offered = [];

  const me = () => sideOf(roomId).profile ?? getProfile();

  /** The composer is about to go: a keyboard focus in it moves to what replaces it. */
  function moveFocusOn(state, { now, isEnding }) {
    const over = isOver(state);
    const hadFocus = over && !ui.composer.element.hidden && ui.composer.element.contains(document.activeElement);
    // What is said of it stands there instead (ui/notices.js).
    setHidden(ui.composer.element, over || isMuted() || isEnding || isAsked(state, 'leave'));
    const { retention_ms: retention, options } = getSite();
    ui.endCard.update(state, { retention, reports: Boolean(options.reports) }, now);
    if (hadFocus) section.querySelector('.end-title')?.focus({ preventScroll: true });
  }

  /** First sentences, while nothing of one's own stands in the field. */
  function showStarters(state, { still, now, isEnding = false }) {
    const text = ui.composer.text();
    const writes = text !== '' && !offered.includes(text);
    const ready = !still && state.known && state.active && !state.replaced && !isMuted();
    if (ready) offer = followOffer(offer, state, { now, writes });
    const round = openRound(offer);
    const isOpen = ready && !isEnding && round !== null && !writes;
    if (isOpen) offered = startersFor(state, language(), startersIn(language()), getSite().starters, round);
    ui.starters.update(isOpen ? offered : null, isFolded(offer));
  }

  function showLog(state, { still, added, reading }) {
    const names = { partner: state.partner?.nickname ?? '', bot: state.isBot };
    const update = (more) => ui.log.update(state, { still, names, added: more, newFrom: reading.newFrom(state), away: reading.isAway() });
    // Who has just looked away goes on from what was read until then.
    if (!still && document.hidden) reading.follow(state);
    update(added);
    // Whether a reader who looks is at the end is known only now.
    if (!still && reading.follow(state)) update(0);
  }

  return {
    showStarters,
    show(state, { still, added, banner, now, reading, isEnding }) {
      const { name } = getSite();
      const cutOff = cutOffBanners.has(banner);
      ui.header.update(state, { now, cutOff, partner: state.partner ?? sideOf(roomId).partner });
      ui.side.update(state, me());
      ui.banner.update(banner, minutesSeconds((state.closesAt ?? now) - now));
      opening.update(state, me(), { cutOff, still: !ui.log.isAtBottom() });
      showLog(state, { still, added, reading });
      showStarters(state, { still, now, isEnding });
      moveFocusOn(state, { now, isEnding });
      section.classList.toggle('is-away', state.active && !isHere(state));
      section.classList.toggle('is-over', !state.active);
      setTitle(state.partner ? t('title', { what: state.partner.nickname, site: name }) : name);
    },
  };
}
