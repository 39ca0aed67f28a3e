// The chat page: searching, then a conversation, then perhaps the next search.
// Decides which of the two is shown and what the address says; each of them
// runs in search.js and room.js.

import { byTest, setHidden } from '../lib/dom.js';
import { forgetSearchName } from '../lib/call-me.js';
import { onLanguage, t, tagList } from '../lib/i18n.js';
import { appeared, once } from '../lib/press.js';
import { startWorker } from '../lib/worker.js';
import { offerTopics, offerTopicsOfPage } from '../lib/topics.js';
import { defaultSite, getRooms, getSite, untilAnswered } from '../net/http.js';
import { alertMeeting, flashTitle, setTitle } from '../ui/alerts.js';
import { mountAppbar } from '../ui/appbar.js';
import { mountBanner } from '../ui/banner.js';
import { mountCallMe } from '../ui/call-me.js';
import { mountComposer } from '../ui/composer.js';
import { mountEndCard } from '../ui/end-card.js';
import { forgetThisBrowser } from '../ui/forget.js';
import { openGuide } from '../ui/guide.js';
import { mountLog } from '../ui/log.js';
import { mountLogGestures } from '../ui/log-gestures.js';
import { mountMatchingView } from '../ui/matching-view.js';
import { endMatchAnimation, playMatchAnimation } from '../ui/match-animation.js';
import { hasConsent, isGuest, loadProfile, saveProfile } from '../ui/profile-store.js';
import { mountRoomHeader } from '../ui/room-header.js';
import { mountSideCard } from '../ui/side-card.js';
import { mountStarters } from '../ui/starters.js';
import { announce } from '../ui/toast.js';
import { mountUndoBar } from '../ui/undo-bar.js';
import { mountUnsent } from '../ui/unsent.js';
import { followView } from '../ui/viewport.js';
import { refuseDrops } from '../ui/drops.js';
import { startBackgroundOutboxes } from './background-outbox.js';
import { depart } from './departure.js';
import { askNotices, followSite, goToNotices, isBanned, onNotices } from './notices.js';
import { forgetRoom, handOverActions, isLeft, knownRooms, rememberSide, roomHere, setRoomHere, adoptActions, unsentWords } from './room-storage.js';
import { OpenRoom } from './room.js';
import { startSearch, viewBefore } from './search.js';

// The page knows its site's name before anything is asked.
let site = { ...defaultSite, name: document.title || defaultSite.name };
let profile = null;
let search = null;
let room = null;
let departure = null; // Next was pressed, and may still be taken back

mountAppbar({ onGuide: () => openGuide(site) });
offerTopicsOfPage();
profile = loadProfile();
followView();
refuseDrops();

const sections = { matching: byTest('matching'), chat: byTest('chat'), gone: byTest('gone'), reaching: byTest('reaching') };
const unsent = mountUnsent(byTest('unsent'));
const matchingView = mountMatchingView(sections.matching, {
  onCancel: () => (departure ? departure.commit(goHome) : search?.cancel()),
  onAgain: () => search?.again(),
  onWiden: widen,
  onRoom: setRoomHere,
});
const callSwitch = mountCallMe(byTest('match-call'), { getSite: () => site, onChange: (subscription) => search?.callMe(subscription) });
const undoBar = mountUndoBar(byTest('undo'));
sections.matching.addEventListener('keydown', (event) => event.key === 'Escape' && departure?.back());
const ui = mountRoom(sections.chat);

function mountRoom(section) {
  const log = mountLog(section.querySelector('.room-main'), { onSeen: () => room?.render() });
  const composer = mountComposer(section.querySelector('[data-slot="composer"]'), {
    limit: () => site.max_message_chars,
    onSend: (text) => room?.actions.send(text),
    onInput: (text) => room?.wrote(text),
    onDropReply: () => room?.actions.setReply(null),
  });
  const starters = mountStarters(byTest('starters', section), {
    onChoose(text) {
      composer.setText(text);
      composer.focus();
    },
  });
  mountLogGestures(log, {
    onMenu: (node, at) => room?.actions.messageMenu(node, at),
    onDoubleTap: (node) => room?.actions.react(node, 'heart'),
    onReply: (node) => room?.actions.replyTo(node),
    onQuote: (id) => log.glow(id),
    onRetry: (node) => room?.actions.retry(node),
    onEscape: () => composer.focus(),
  });
  const header = mountRoomHeader(section.querySelector('.room-header'), {
    onNext: () => room?.actions.next(),
    onMenu: (button) => room?.actions.roomMenu(button),
  });
  const side = mountSideCard(section.querySelector('.side-card'));
  const banner = mountBanner(byTest('banner', section), { onContinue: () => room?.continueHere() });
  const endCard = mountEndCard(byTest('end-card', section), { onNext: () => room?.actions.next(), onBlock: () => room?.actions.block(), onReport: () => room?.actions.report(), onSave: () => room?.actions.save(), onForget: forgetThisBrowser });
  const endBar = mountUndoBar(byTest('ending', section));
  return { log, composer, starters, header, side, banner, endBar, endCard };
}

function show(name) {
  endMatchAnimation(sections.matching, true);
  for (const [key, section] of Object.entries(sections)) setHidden(section, key !== name);
  setHidden(byTest('calm-bar'), name !== 'gone' && name !== 'reaching');
  appeared(sections[name], name === 'gone');
}

/** Next: what is over is left at once, what is open can still be gone back to. */
function next(from) {
  if (room !== from) return;
  if (!from.isOpen()) {
    startMatching();
    return;
  }
  room = null;
  departure = depart({ room: from, bar: undoBar, onBack: goBack, onOver: startMatching });
  setRoomHere(null);
  showMatching();
  showSearch(viewBefore(profile));
}

function goBack(to) {
  departure = null;
  room = to;
  setRoomHere(to.roomId);
  history.replaceState(null, '', '/chat/');
  show('chat');
  to.resume();
  ui.composer.focus();
}

function showMatching() {
  history.replaceState(null, '', '/chat/?match=1');
  profile = loadProfile();
  show('matching');
  byTest('match-title').focus({ preventScroll: true });
}

// No page of a search that is over is left behind for the Back button.
const goHome = once(() => location.replace('/'));

function startMatching() {
  const isThere = departure !== null;
  departure = null;
  room?.stop();
  room = null;
  search?.stop();
  ui.log.clear();
  setRoomHere(null);
  if (!isThere) showMatching();
  search = startSearch({
    view: { update: showSearch },
    hasMet: knownRooms().length > 0,
    getProfile: () => profile,
    getSite: () => site,
    onFound: once(onFound),
    onRoom: once(onRoomMeanwhile),
    onCancel() {
      search = null;
      goHome();
    },
  });
}

function showSearch(view) {
  matchingView.update({ ...view, guest: isGuest(), site });
  callSwitch.render();
  setTitle(t('title', { what: t(view.title), site: site.name }));
}

function widen() {
  profile = { ...profile, wish: 'all' };
  saveProfile(profile);
  search?.renew();
  search?.render();
}

/** While this page slept a partner was found, and waits in the room. */
function onRoomMeanwhile(roomId) {
  search = null;
  forgetSearchName();
  history.replaceState(null, '', '/chat/');
  openHere(roomId);
}

async function onFound(found) {
  search = null;
  forgetSearchName();
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
  await playMatchAnimation({
    scene: sections.matching,
    room: sections.chat,
    target: ui.header.avatar,
    avatar: partner.avatar,
    showRoom: () => enter(roomId),
  });
}

function enter(roomId, { focus = true } = {}) {
  show('chat');
  room = new OpenRoom({
    roomId,
    ui,
    section: sections.chat,
    getSite: () => site,
    getProfile: () => profile,
    // What is gone needs no leaving.
    onGone: once(() => (departure ? departure.commit(startMatching) : showGone(roomId))),
    onNext: next,
  });
  // The room comes up by itself, and Next with it.
  appeared(sections.chat.querySelector('.room-header'), true);
  if (focus) ui.composer.focus();
}

/** The server knows no such room. What was written there and not sent is all that is left of it. */
function showGone(roomId) {
  room = null;
  unsent.update(unsentWords(roomId), () => forgetRoom(roomId));
  show('gone');
  setTitle(site.name);
  sections.gone.querySelector('.calm-title').focus();
}

/** `/chat/` alone: the room that this tab shows, else an open one, else a search. */
async function resume() {
  const here = roomHere() ?? (await openRoomOfMine());
  if (here) openHere(here);
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
  if (why) askNotices(15_000);
  setHidden(sections.reaching.querySelector('[data-slot="reach-why"]'), !why);
  if (sections.reaching.hidden) show('reaching');
}

/**
 * An address that names a room, as they once were: it works where this tab was in that room, or as
 * long as the room is open. What has ended is not opened by an address in a browser's history.
 */
async function openFromAddress(roomId) {
  history.replaceState(null, '', '/chat/');
  const isMine = knownRooms().includes(roomId);
  const rooms = isMine ? [] : await myRooms();
  if (isMine || rooms.some((entry) => entry.room_id === roomId)) openHere(roomId);
  else showGone(roomId);
}

function openHere(roomId) {
  setRoomHere(roomId);
  forgetSearchName();
  enter(roomId, { focus: matchMedia('(hover: hover)').matches });
}

/** A search needs a profile and the agreement, given once; and a page that is looked at. */
async function begin() {
  await untilVisible();
  if (profile.gender && hasConsent()) startMatching();
  else location.replace('/');
}

/** Resolves when this page is looked at: a browser opens the tabs of its last session in the background. */
function untilVisible() {
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

// What is typed while nothing has the focus, or a message has it, belongs into the field, its first letter too.
addEventListener('keydown', (event) => {
  const isWord = event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey;
  const isLost = document.activeElement === document.body || document.activeElement === null || document.activeElement.matches('.message');
  if (room?.isOpen() && (isWord || event.key === 'Process') && isLost && !document.querySelector('dialog[open]')) ui.composer.focus();
});

// Back to a page that the browser kept: its search may be over, and would look as if it went on.
addEventListener('pageshow', (event) => {
  if (event.persisted && !sections.matching.hidden && !search && !room) location.reload();
});

onLanguage(() => {
  search?.render();
  room?.render();
  if (departure) showSearch(viewBefore(profile));
  ui.composer.relabel();
});
const answered = untilAnswered(getSite);
answered.then((answer) => {
  site = answer;
  followSite(site);
  offerTopics(site.topics);
  room?.render();
  room?.callMe();
  search?.siteKnown();
});
startWorker(answered);
onNotices(() => {
  if (isBanned()) goToNotices();
  room?.render();
});

adoptActions();
const query = new URLSearchParams(location.search);
const asked = query.get('room');
if (asked) openFromAddress(asked);
else if (query.has('match')) begin();
else resume();
addEventListener('pagehide', () => {
  // Who goes elsewhere meanwhile has left.
  departure?.commit();
  departure = null;
  room?.leaveNow();
  handOverActions();
});
startBackgroundOutboxes(asked ?? (query.has('match') ? null : roomHere()));
