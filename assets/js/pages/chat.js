// The chat page: searching, then a conversation, then perhaps the next search.
// Decides which of the two is shown and what the address says; each of them
// runs in search.js and room.js.

import { byTest, setHidden } from '../lib/dom.js';
import { onLanguage, t, tagList } from '../lib/i18n.js';
import { cameUp, once } from '../lib/press.js';
import { defaultSite, getRooms, getSite, untilAnswered } from '../net/http.js';
import { alertMeeting, flashTitle, setTitle } from '../ui/alerts.js';
import { mountAppbar } from '../ui/appbar.js';
import { mountBanner } from '../ui/banner.js';
import { mountComposer } from '../ui/composer.js';
import { mountEndCard } from '../ui/end-card.js';
import { forgetThisBrowser } from '../ui/forget-sheet.js';
import { openGuide } from '../ui/guide.js';
import { mountLog } from '../ui/log.js';
import { mountLogGestures } from '../ui/log-gestures.js';
import { mountMatchingView } from '../ui/matching-view.js';
import { endParting, playMeeting } from '../ui/meeting.js';
import { hasConsent, isGuest, loadProfile, saveProfile } from '../ui/profile-store.js';
import { mountRoomHeader } from '../ui/room-header.js';
import { mountSideCard } from '../ui/side-card.js';
import { announce } from '../ui/toast.js';
import { mountUnsent } from '../ui/unsent.js';
import { followView } from '../ui/viewport.js';
import { refuseDrops } from '../ui/drops.js';
import { runErrands } from './errands.js';
import { forgetRoom, handOver, isLeft, knownRooms, rememberSide, roomHere, setRoomHere, takeOver, unsentWords } from './sides.js';
import { openRoom } from './room.js';
import { startSearch } from './search.js';

// The page knows its site's name before anything is asked.
let site = { ...defaultSite, name: document.title || defaultSite.name };
let profile = null;
let search = null;
let room = null;

mountAppbar({ onGuide: () => openGuide(site) });
profile = loadProfile();
followView();
refuseDrops();

const sections = { matching: byTest('matching'), chat: byTest('chat'), gone: byTest('gone'), reaching: byTest('reaching') };
const unsent = mountUnsent(byTest('unsent'));
const matchingView = mountMatchingView(sections.matching, {
  onCancel: () => search?.cancel(),
  onAgain: () => search?.again(),
  onWiden: widen,
  onRoom: setRoomHere,
});
const ui = mountRoom(sections.chat);

function mountRoom(section) {
  const log = mountLog(section.querySelector('.room-main'), { onSeen: () => room?.seen() });
  const composer = mountComposer(section.querySelector('[data-slot="composer"]'), {
    limit: () => site.max_message_chars,
    onSend: (text) => room?.send(text),
    onInput: (text) => room?.wrote(text),
    onDropReply: () => room?.setReply(null),
  });
  mountLogGestures(log, {
    onMenu: (node, at) => room?.messageMenu(node, at),
    onReply: (node) => room?.replyTo(node),
    onQuote: (id) => room?.quote(id),
    onRetry: (node) => room?.retry(node),
    onEscape: () => composer.focus(),
  });
  const header = mountRoomHeader(section.querySelector('.room-header'), {
    needsSecondPress: () => room?.needsSecondPress() ?? false,
    onNext: () => room?.next(),
    onMenu: (button) => room?.roomMenu(button),
  });
  const side = mountSideCard(section.querySelector('.side-card'));
  const banner = mountBanner(byTest('banner', section), { onContinue: () => room?.continueHere() });
  const endCard = mountEndCard(byTest('end-card', section), { onNext: () => room?.next(), onBlock: () => room?.block(), onForget: forgetThisBrowser });
  return { log, composer, header, side, banner, endCard };
}

function show(name) {
  endParting(sections.matching, true);
  for (const [key, section] of Object.entries(sections)) setHidden(section, key !== name);
  cameUp(sections[name], name === 'gone');
}

function match() {
  room?.stop();
  room = null;
  search?.stop();
  ui.log.clear();
  setRoomHere(null);
  history.replaceState(null, '', '/chat/?match=1');
  profile = loadProfile();
  show('matching');
  byTest('match-title').focus({ preventScroll: true });
  search = startSearch({
    view: { update: showSearch },
    getProfile: () => profile,
    onFound: once(met),
    // No page of a search that is over is left behind for the Back button.
    onCancel: once(() => {
      search = null;
      location.replace('/');
    }),
  });
}

function showSearch(view) {
  matchingView.update({ ...view, guest: isGuest() });
  setTitle(t('title', { what: t(view.paused ? 'match.titlePaused' : 'match.title'), site: site.name }));
}

function widen() {
  profile = { ...profile, wish: 'all' };
  saveProfile(profile);
  search?.renew();
  search?.render();
}

async function met(found) {
  search = null;
  const roomId = found.room_id;
  rememberSide(roomId, {
    user_id: found.user_id,
    token: found.token,
    profile: { nickname: profile.nickname, avatar: profile.avatar },
  });
  setRoomHere(roomId);
  history.replaceState(null, '', '/chat/');
  const partner = found.matched_user ?? {};
  const tags = found.common_tags ?? [];
  alertMeeting();
  flashTitle(t('title', { what: t('found.title'), site: site.name }));
  announce(t(tags.length > 0 ? 'found.tags' : 'found.plain', { name: partner.nickname ?? '', tags: tagList(tags) }));
  await playMeeting({
    scene: sections.matching,
    room: sections.chat,
    target: ui.header.avatar,
    avatar: partner.avatar,
    showRoom: () => enter(roomId),
  });
}

function enter(roomId, { focus = true } = {}) {
  show('chat');
  room = openRoom({
    roomId,
    ui,
    section: sections.chat,
    getSite: () => site,
    getProfile: () => profile,
    onGone: once(() => gone(roomId)),
    onNext: once(match),
  });
  // The room comes up by itself, and Next with it.
  cameUp(sections.chat.querySelector('.room-header'), true);
  if (focus) ui.composer.focus();
}

/** There is no such room, says the server. What was written there and not sent is all that is left of it. */
function gone(roomId) {
  room = null;
  unsent.update(unsentWords(roomId), () => forgetRoom(roomId));
  show('gone');
  setTitle(site.name);
  sections.gone.querySelector('.calm-title').focus();
}

/** `/chat/` alone: the room that this tab shows, else an open one, else a search. */
async function resume() {
  const here = roomHere() ?? (await openRoomOfMine());
  if (here) arrive(here);
  else begin();
}

async function openRoomOfMine() {
  const open = (await myRooms()).map((entry) => entry.room_id).filter((roomId) => !isLeft(roomId));
  const mine = new Set(knownRooms());
  return open.find((roomId) => mine.has(roomId)) ?? open[0];
}

/** A list that cannot be had is no empty list: to search then would be to leave a conversation. */
async function myRooms() {
  const slow = setTimeout(() => showReaching(false), 400);
  const rooms = await untilAnswered(getRooms, () => showReaching(true));
  clearTimeout(slow);
  return rooms;
}

function showReaching(why) {
  setHidden(sections.reaching.querySelector('[data-slot="reach-why"]'), !why);
  if (sections.reaching.hidden) show('reaching');
}

/** An address that names a room, as they once were: it works where this tab was in that room, or as
 * long as the room is open. What has ended is not opened by an address in somebody's history. */
async function comeBack(roomId) {
  history.replaceState(null, '', '/chat/');
  const isMine = knownRooms().includes(roomId);
  const rooms = isMine ? [] : await myRooms();
  if (isMine || rooms.some((entry) => entry.room_id === roomId)) arrive(roomId);
  else gone(roomId);
}

function arrive(roomId) {
  setRoomHere(roomId);
  enter(roomId, { focus: matchMedia('(hover: hover)').matches });
}

/** Nobody searches without having chosen who they are and agreed once, nor in a page that nobody sees. */
async function begin() {
  await seen();
  if (profile.gender && hasConsent()) match();
  else location.replace('/');
}

/** Resolves when somebody looks at this page: a browser opens the tabs of its last session in the background. */
function seen() {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    look();
  });
}

// Back to a page that the browser kept: its search may be over, and would look as if it went on.
addEventListener('pageshow', (event) => {
  if (event.persisted && !sections.matching.hidden && !search && !room) location.reload();
});

onLanguage(() => {
  search?.render();
  room?.render();
  ui.composer.relabel();
});
untilAnswered(getSite).then((answer) => {
  site = answer;
  room?.render();
});

takeOver();
const query = new URLSearchParams(location.search);
const asked = query.get('room');
if (asked) comeBack(asked);
else if (query.has('match')) begin();
else resume();
addEventListener('pagehide', handOver);
runErrands(asked ?? (query.has('match') ? null : roomHere()));
