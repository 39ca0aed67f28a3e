// One search: the matching socket, its state, and the view that shows it.
// Ends by calling `onFound` with match_found, `onCancel`, or `onRoom`.

import { t, tagList } from '../lib/i18n.js';
import { ticks } from '../lib/time.js';
import { goesOn, isLoopback, newSearch, options, reduceSearch, searchLines } from '../model/matching.js';
import { userData } from '../model/profile.js';
import { forgottenCode, openLink, socketUrl } from '../net/link.js';
import { wasForgotten } from '../ui/forget-sheet.js';

const cancelPatience = 1500;

export function startSearch({ view, getProfile, onFound, onCancel }) {
  let search = newSearch(ticks());
  let cancelTimer = null;
  let done = false;

  const link = openLink({
    url: () => socketUrl('/ws/matching/'),
    onOpen() {
      apply({ action: 'link', status: 'open' });
      if (goesOn(search)) ask();
    },
    onFrame: apply,
    onLost: ({ blocked }) => apply({ action: 'link', status: blocked ? 'blocked' : 'lost' }),
    onFinal: (code) => (code === forgottenCode ? wasForgotten() : apply({ action: 'link', status: 'stopped' })),
  });
  const ticker = setInterval(tick, 500);

  function ask() {
    link.send({ action: 'start_matching', user_data: userData(getProfile()) });
  }

  function apply(event) {
    if (done) return;
    search = reduceSearch(search, event, ticks());
    if (search.found) finish(() => onFound(search.found));
    else if (search.cancelled) finish(onCancel);
    else render();
  }

  function finish(then) {
    done = true;
    stop();
    then();
  }

  function stop() {
    clearInterval(ticker);
    clearTimeout(cancelTimer);
    link.close();
  }

  function tick() {
    if (search.retryAt !== null && search.halted && ticks() >= search.retryAt) again();
    render();
  }

  function again() {
    apply({ action: 'restart' });
    if (search.link === 'stopped') link.revive();
    else if (link.isOpen()) ask();
    else link.reconnect();
  }

  function render() {
    if (done) return;
    const now = ticks();
    const profile = getProfile();
    const tags = tagList(profile.tags);
    view.update({
      paused: ['stopped', 'blocked'].includes(search.link) || ['replaced', 'in_room', 'full'].includes(search.halted),
      looking: tags ? t('match.lookingTags', { tags }) : t('match.lookingAny'),
      waited: now - search.startedAt,
      lines: searchLines(search, tags, now),
      phase: `${search.link}/${search.halted}/${search.phase}/${search.unfit}/${search.waiting > 0}`,
      options: options(search, { wish: profile.wish, loopback: isLoopback(location.hostname), now }),
      roomId: search.roomId,
      profile,
      canRetry: search.halted === 'replaced' || search.halted === 'rate' || search.link === 'stopped',
      retryIn: search.halted === 'rate' ? Math.max(0, search.retryAt - now) : 0,
    });
  }

  render();
  return {
    render,
    again,
    /** Asks again with the profile as it is now; the time waited goes on, here and on the server. */
    renew: () => link.isOpen() && ask(),
    cancel() {
      // The server decides who was first: a partner or the cancel button.
      if (!link.send({ action: 'cancel_matching' })) finish(onCancel);
      else cancelTimer = setTimeout(() => !done && finish(onCancel), cancelPatience);
    },
    stop() {
      done = true;
      stop();
    },
  };
}
