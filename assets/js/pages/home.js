// The home page: choose how to appear, press start. Only wiring; what a
// profile is stands in model/profile.js.

import { byTest, setHidden, setText } from '../lib/dom.js';
import { language, onLanguage, t } from '../lib/i18n.js';
import { appeared, oneAtATime } from '../lib/press.js';
import { local, tab } from '../lib/storage.js';
import { startWorker } from '../lib/worker.js';
import { monotonicNow, now, untilText } from '../lib/time.js';
import { offerTopics, offerTopicsOfPage } from '../lib/topics.js';
import { defaultSite, getRooms, getSite, getStats, Refusal } from '../net/http.js';
import { mountAppbar } from '../ui/appbar.js';
import { askConsent } from '../ui/consent.js';
import { refuseDrops } from '../ui/drops.js';
import { openGuide } from '../ui/guide.js';
import { hoursText, stateOfHours } from '../ui/hours.js';
import { askLeave } from '../ui/leave-sheet.js';
import { keptFor } from '../ui/privacy.js';
import { mountProfileCard } from '../ui/profile-card.js';
import { becomeGuest, giveConsent, hasConsent, isGuest, loadProfile, saveProfile } from '../ui/profile-store.js';
import { reportedNames } from '../ui/kept-names.js';
import { mountStats } from '../ui/stats.js';
import { toast } from '../ui/toast.js';
import { mountEnded } from './ended.js';
import { askNotices, followSite, hasOutcomes, isBanned, onNotices, readFirst } from './notices.js';
import { mountResume } from './resume.js';
import { handOverActions, isLeft, rememberSide, roomsWithPendingActions, setRoomHere, adoptActions, requestLeave } from './room-storage.js';

const refreshEvery = 10_000;
const noticesEvery = 60_000;

let site = defaultSite;
let stats = null;
let siteKnown = false;
let siteKnownAt = -Infinity;
let reachable = true;
let resumable = null;

// What is blocked or unblocked there has lost, or has again, its way back.
mountAppbar({ onGuide: () => openGuide(site).then(lookBack) });
refuseDrops();
offerTopicsOfPage();
const query = new URLSearchParams(location.search);
const wantsGuest = query.has('guest');
if (wantsGuest && !isGuest()) becomeGuest();

let profile = loadProfile();
saveProfile(profile);
const card = mountProfileCard(document.querySelector('[data-slot="profile"]'), {
  nicknameLimit: site.max_nickname_chars,
  keeps: local.keeps() && !isGuest(),
  onChange(next) {
    profile = next;
    saveProfile(profile);
    render();
  },
});
const statsLine = mountStats(byTest('stats'));
const ended = mountEnded(byTest('ended'), byTest('earlier-chats'));
const bar = mountResume(byTest('resume'), { onOver: () => refresh() });
const start = byTest('start');
const another = byTest('another');
const needs = byTest('needs-storage');
const hours = byTest('hours');
const closed = byTest('maintenance');
// What is chosen here has to outlive this page, and the browser decides whether it does.
const keepsAnything = local.keeps() && tab.keeps();

function render() {
  card.update(profile);
  statsLine.update(stats, reachable);
  renderStart();
  renderHours();
  setText(document.querySelector('[data-slot="sub"]'), t('home.sub', { t: keptFor(site) }));
  setHidden(document.querySelector('[data-slot="guest"]'), !isGuest());
  setHidden(needs, keepsAnything);
  bar.render();
  ended.show(resumable?.room_id ?? null);
}

/** Of an open conversation the large button is the way back; to look for someone new asks first. */
function renderStart() {
  if (another.hidden === goesBack()) appeared(start, true);
  const isClosed = !goesBack() && isInMaintenance();
  setText(start, t(!reachable ? 'home.retry' : isClosed ? 'home.maintenance' : goesBack() ? 'home.return' : 'home.start'));
  start.setAttribute('aria-disabled', String(reachable && isClosed));
  setHidden(another, !goesBack() || isInMaintenance());
  const until = site.maintenance?.until_ms ?? null;
  setHidden(byTest('stats'), isInMaintenance());
  setHidden(closed, !isInMaintenance());
  setText(closed, t(until === null ? 'app.maintenance' : 'app.maintenanceUntil', { time: untilText(until ?? 0, language()) }));
}

/** No new pairs are made; who talks goes on. */
const isInMaintenance = () => Boolean(site.maintenance) && (site.maintenance.until_ms ?? Infinity) > now();

function renderHours() {
  const text = hoursText(site.hours, now());
  setHidden(hours, text === '');
  setText(hours, text);
  // The next opening is the server's to say.
  if (site.hours && stateOfHours(site.hours, now()) === 'none') siteKnown = false;
}

const goesBack = () => reachable && Boolean(resumable) && !isGuest();

/** Takes in which conversation is open: what came in it, or that it is over now. */
async function followRooms(rooms) {
  const before = resumable?.room_id;
  resumable = rooms.find((room) => !isLeft(room.room_id)) ?? null;
  await bar.follow(resumable);
  if (before && before !== resumable?.room_id) lookBack();
}

/** Asks how things are. Resolves to whether all of it is known now. */
async function refresh() {
  // Maintenance comes and goes while a page is open.
  if (site.maintenance || monotonicNow() - siteKnownAt > noticesEvery) siteKnown = false;
  const [numbers, rooms, words] = await Promise.allSettled([getStats(), getRooms(), siteKnown ? site : getSite()]);
  if (numbers.status === 'fulfilled') stats = numbers.value;
  reachable = numbers.status === 'fulfilled' || numbers.reason instanceof Refusal;
  if (rooms.status === 'fulfilled') await followRooms(rooms.value);
  if (words.status === 'fulfilled') knowSite(words.value);
  render();
  await askNotices(noticesEvery);
  return rooms.status === 'fulfilled' && siteKnown;
}

function knowSite(answer) {
  siteKnown = true;
  siteKnownAt = monotonicNow();
  followSite(answer);
  site = answer;
  offerTopics(site.topics);
  if (local.get('consent')?.age < site.minimum_age) local.remove('consent');
}

async function begin() {
  if (!keepsAnything) {
    needs.focus();
    return;
  }
  // Nothing is asked for that leads nowhere: in maintenance the line below the button says why.
  if (!profile.gender && !isInMaintenance()) {
    card.askGender();
    return;
  }
  // To search is to leave, and the rules are the operator's: neither is guessed.
  if (!(await refresh())) {
    reachable = false;
    render();
    return;
  }
  if (isInMaintenance() || !(await readFirst()) || isBanned()) return;
  if (!hasConsent()) {
    // An age of 0: the operator has nothing asked.
    if (site.minimum_age > 0 && !(await askConsent(site))) return;
    giveConsent(site.minimum_age);
  }
  if (!resumable || isGuest()) goMatch();
  else await leaveFirst(resumable);
}

/** A conversation is open: a search from here would leave it without a word. */
async function leaveFirst({ room_id: roomId, user_id: own, partner }) {
  const chosen = await askLeave(partner?.nickname ?? '');
  if (chosen === 'back') {
    goBackTo(roomId);
  } else if (chosen === 'leave') {
    rememberSide(roomId, { user_id: own });
    requestLeave(roomId);
    goMatch();
  }
}

function goBackTo(roomId) {
  setRoomHere(roomId);
  location.assign('/chat/');
}

const goMatch = () => location.assign('/chat/?match=1');

start.addEventListener('click', oneAtATime(async () => (goesBack() ? goBackTo(resumable.room_id) : begin())));
another.addEventListener('click', oneAtATime(begin));
onLanguage(() => {
  // A name that was not typed follows the language.
  if (!profile.named && !isGuest()) profile = { ...loadProfile(), ...profile };
  render();
});
document.addEventListener('visibilitychange', () => !document.hidden && (refresh(), askNotices(5000)));
addEventListener('pageshow', (event) => event.persisted && (refresh(), lookBack()));
setInterval(() => !document.hidden && refresh(), refreshEvery);
onNotices(render);
render();

// A guest window is opened to meet the first one: it starts by itself, with
// the agreement already given in this browser.
if (wantsGuest && hasConsent()) {
  location.replace('/chat/?match=1');
} else {
  begun();
  lookBack();
}

async function begun() {
  if (query.has('cleared')) {
    history.replaceState(null, '', '/');
    toast(t('home.cleared'));
  }
  // Where this browser was told something before, nothing else is waited for.
  askNotices();
  await refresh();
  // What became of reports is told by notices, where a server has them.
  if (reportedNames().length > 0 && !hasOutcomes()) (await import('../ui/report-list.js')).tellOutcomes();
  if (location.hash === '#notices' && !isBanned()) (await import('./notice-list.js')).openNotices();
}

/** What has ended changes no more: once for each time that home is shown. */
function lookBack() {
  ended.refresh().then(render);
}

// Asked for in a conversation and not confirmed before its page went away.
adoptActions();
addEventListener('pagehide', handOverActions);
if (roomsWithPendingActions().length > 0) import('./background-outbox.js').then(({ startBackgroundOutboxes }) => startBackgroundOutboxes());
startWorker();
