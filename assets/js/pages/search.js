// One search: the matching socket, its state, and the view that shows it.
// Ends by calling `onFound` with match_found, `onCancel`, or `onRoom`.

import { callMe, letNoCallReach, searchName, wanted } from '../lib/call-me.js';
import { language, t, tagList } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { monotonicNow, now as presentMoment, untilText } from '../lib/time.js';
import { goesOn, isLoopback, newSearch, options, reduceSearch, searchLine } from '../model/matching.js';
import { userData } from '../model/profile.js';
import { getRooms } from '../net/http.js';
import { forgottenCode, ReconnectingSocket, socketUrl } from '../net/socket.js';
import { wasForgotten } from '../ui/forget.js';
import { stateOfHours, untilHours } from '../ui/hours.js';
import { askNotices, askWhatStands, bannedCode, goToNotices, maintenanceUntil, readFirst, takeNotice } from './notices.js';

const cancelPatience = 1500;

/** Resolves when that is done, has failed, or takes longer. @param {Promise<unknown>} doing @param {number} ms */
const soon = (doing, ms) => Promise.race([doing.catch(() => {}), new Promise((resolve) => setTimeout(resolve, ms))]);

const lookingFor = (tags) => (tags ? t('match.lookingTags', { tags }) : t('match.lookingAny'));

/** Until when no new pairs are made is in the notice of it, where there is one. */
function withEnd(line) {
  const until = line[0] === 'app.maintenance' ? maintenanceUntil() : null;
  return until === null ? line : ['app.maintenanceUntil', { time: untilText(until, language()) }];
}

/** What is shown before a search begins. */
export function viewBefore(profile) {
  const looking = lookingFor(tagList(profile.tags));
  return { title: 'match.titleSoon', paused: true, looking, waited: 0, line: ['match.soon', {}], phase: 'before', options: [], roomId: null, profile, retry: 'match.retry', canRetry: false, retryIn: 0 };
}

/** `hasMet`: this person has met others here before. */
export function startSearch({ view, hasMet, getProfile, getSite, onFound, onCancel, onRoom }) {
  let search = newSearch(monotonicNow());
  let cancelTimer = null;
  let done = false;

  const connection = new ReconnectingSocket({
    url: () => socketUrl('/ws/matching/'),
    onOpen() {
      apply({ action: 'connection', status: 'open' });
      askWhatStands();
      if (goesOn(search)) goOn();
    },
    onFrame(frame) {
      if (frame.action === 'notice') takeNotice(frame.notice);
      else apply(frame);
      if (frame.code === 'notice_pending') readNotices();
      else if (frame.code === 'banned') goToNotices();
    },
    onLost({ blocked, refused }) {
      apply({ action: 'connection', status: blocked ? 'blocked' : 'lost' });
      // A browser does not say why.
      if (refused) askNotices(15_000);
    },
    onFinal(code) {
      if (code === forgottenCode) wasForgotten();
      else if (code === bannedCode) goToNotices();
      else apply({ action: 'connection', status: 'stopped' });
    },
  });
  const ticker = setInterval(tick, 500);

  /** A search that goes on while its page sleeps may have found a partner by now: to search then is to leave them. */
  async function goOn() {
    if (wanted.get()) {
      const room = (await getRooms().catch(() => [])).find((entry) => entry.user_id === searchName());
      if (room && !done) {
        finish(() => onRoom(room.room_id));
        return;
      }
    }
    ask();
  }

  function ask() {
    // To ask a second time is to say that it was read.
    if (search.halted === 'notice') return;
    const named = wanted.get() ? { user_id: searchName() } : {};
    connection.send({ action: 'start_matching', user_data: { ...userData(getProfile(), [language()]), ...named } });
    callMe(getSite(), connection.send);
  }

  function apply(event) {
    if (done) return;
    search = reduceSearch(search, event, monotonicNow());
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
    connection.close();
  }

  function tick() {
    if (search.retryAt !== null && search.halted && monotonicNow() >= search.retryAt) again();
    render();
  }

  /** The server has not heard it, and a search of a person who wants to be called goes on without its page: its calls reach no browser. */
  async function cancelUnsaid() {
    if (!done && wanted.get()) await soon(letNoCallReach(), cancelPatience);
    if (!done) finish(onCancel);
  }

  const readNotices = oneAtATime(async () => {
    if ((await readFirst()) && !done) searchAgain();
  });

  const again = () => (search.halted === 'notice' ? readNotices() : searchAgain());

  function searchAgain() {
    apply({ action: 'restart' });
    if (search.connection === 'stopped') connection.revive();
    else if (connection.isOpen()) ask();
    else connection.reconnect();
  }

  /** When more people come. */
  function hoursLine() {
    const { hours } = getSite();
    const moment = presentMoment();
    return stateOfHours(hours, moment) === 'later' ? ['match.hours', untilHours(hours, moment)] : null;
  }

  function render() {
    if (done) return;
    const now = monotonicNow();
    const profile = getProfile();
    const tags = tagList(profile.tags);
    const paused = ['stopped', 'blocked'].includes(search.connection) || ['replaced', 'in_room', 'full', 'maintenance', 'notice'].includes(search.halted);
    view.update({
      title: paused ? 'match.titlePaused' : 'match.title',
      paused,
      looking: lookingFor(tags),
      waited: now - search.startedAt,
      line: withEnd(searchLine(search, tags, now, { hasMet, hours: hoursLine() })),
      phase: `${search.connection}/${search.halted}/${search.phase}/${search.unfit}`,
      options: options(search, { wish: profile.wish, loopback: isLoopback(location.hostname), hasAddress: Boolean(getSite().address), now }),
      roomId: search.roomId,
      profile,
      retry: search.halted === 'notice' ? 'match.noticeGo' : 'match.retry',
      canRetry: search.halted === 'replaced' || search.halted === 'notice' || search.halted === 'rate' || search.connection === 'stopped',
      retryIn: search.halted === 'rate' ? Math.max(0, search.retryAt - now) : 0,
    });
  }

  render();
  return {
    render,
    again,
    /** Whether the site calls people is known now. */
    siteKnown: () => connection.isOpen() && callMe(getSite(), connection.send),
    /** How this browser is called from now on; null: not at all. */
    callMe(subscription) {
      // With it comes the name by which a page that comes back finds the search.
      if (subscription) connection.isOpen() && ask();
      else connection.send({ action: 'call_me', subscription: null });
    },
    /** Asks again with the profile as it is now; the time waited goes on, here and on the server. */
    renew: () => connection.isOpen() && ask(),
    cancel() {
      // The server decides who was first: a partner or the cancel button.
      if (!connection.send({ action: 'cancel_matching' })) cancelUnsaid();
      else cancelTimer = setTimeout(cancelUnsaid, cancelPatience);
    },
    stop() {
      done = true;
      stop();
    },
  };
}
