// The console: which view is shown, who is logged in, and the keys. What a view does is
// its own matter (views/): it is given its place, and answers to commands.

import { el, setAttr, setHidden, setText } from '../lib/dom.js';
import { onLanguage, t } from '../lib/i18n.js';
import { mountAppbar } from '../ui/appbar.js';
import { Refusal } from './api.js';
import { forgetDrafts } from './drafts.js';
import { commandOf } from './model/keys.js';
import { hashOf, parseRoute, placesOf } from './model/route.js';
import { begin, logOut, operator, setSession } from './session.js';
import { attempt, quiet, wordsFor } from './ui/alert.js';
import { dropQuestions } from './ui/ask.js';
import { openKeys } from './ui/keys-sheet.js';
import { offerTotp } from './ui/totp.js';
import { loginForm } from './ui/login-form.js';
import { mountAccount } from './views/account.js';
import { mountAudit } from './views/audit.js';
import { mountCase } from './views/case.js';
import { mountOperators } from './views/operators.js';
import { mountQueue } from './views/queue.js';
import { mountSanctions } from './views/sanctions.js';
import { mountSetup } from './views/setup.js';
import { mountSite } from './views/site.js';
import { mountTemplates } from './views/templates.js';

/** @type {Record<string, (place: HTMLElement, route: import('./model/route.js').Route, app: any) => any>} */
const views = { queue: mountQueue, closed: mountQueue, case: mountCase, sanctions: mountSanctions, site: mountSite, templates: mountTemplates, operators: mountOperators, audit: mountAudit, account: mountAccount };

const main = document.querySelector('main');
const nav = document.querySelector('[data-slot="nav"]');
let shown = null; // the view that is there, as it answers
let at = parseRoute('');
let of = 'queue'; // the place that a case belongs to
let brought = null;
let turn = 0; // a view that took too long does not come up over the one after it

/** What a view may do to the page, as long as it is the one that is shown: an act that ends after it moves nothing. */
function appOf(mine) {
  const whileShown = (act) => (...values) => mine === turn && act(...values);
  return { go: whileShown(go), stands: whileShown(stands), title: whileShown(title), given, out: leave };
}

/** @param {import('./model/route.js').Route} route @param {object} [file] of its case, where it is there already */
function go(route, file = null) {
  brought = file;
  if (hashOf(route) === location.hash) show();
  else location.hash = hashOf(route);
}

/** The address of what a view came to by itself, and the place of the bar that it belongs to. @param {import('./model/route.js').Route} route */
function stands(route, place = 'queue') {
  at = route;
  of = place;
  history.replaceState(null, '', hashOf(route));
  paintNav();
}

/** What the view before has brought of this case, once. @param {number} id */
function given(id) {
  const file = brought?.case.id === id ? brought : null;
  brought = null;
  return file;
}

function title(words) {
  document.title = `${words} · ${t('op.title')}`;
}

function paintNav() {
  const logged = operator() !== null;
  setHidden(nav, !logged);
  document.body.dataset.view = logged ? at.view : 'login';
  if (!logged) return;
  const current = at.view === 'case' ? of : at.view;
  const places = placesOf(operator().role);
  // The same links stay, and with them the focus.
  if (nav.children.length !== places.length) nav.replaceChildren(...places.map((view) => el('a', { href: hashOf({ view }), class: 'op-place', test: `nav-${view}`, onclick: () => hashOf({ view }) === location.hash && show() })));
  places.forEach((view, index) => {
    setText(nav.children[index], t(`op.nav.${view}`));
    setAttr(nav.children[index], 'aria-current', view === current ? 'page' : null);
  });
  nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
}

/** A page with a few words, and a way on. */
function calm(heading, text, ...more) {
  main.replaceChildren(el('section', { class: 'op-calm' }, el('h1', { class: 'op-title' }, heading), el('p', { class: 'op-lead' }, text), ...more));
  title(heading);
}

function retry(error) {
  calm(t(error instanceof Refusal ? 'op.refused.title' : 'op.outage.title'), wordsFor(error), el('button', { type: 'button', class: 'button-primary', test: 'retry', onclick: start }, t('op.outage.again')));
}

function login() {
  paintNav();
  const inside = loginForm((session) => {
    setSession(session);
    quiet();
    show();
  });
  calm(t('op.login.title'), t('op.login.lead'), inside);
  inside.querySelector('input').focus();
}

async function show() {
  const mine = ++turn;
  at = parseRoute(location.hash);
  shown?.leave?.();
  shown = null;
  quiet();
  // A question was about what is gone from the page.
  dropQuestions();
  paintNav();
  title(t(`op.nav.${at.view === 'case' ? 'queue' : at.view}`));
  const place = el('div', { class: `op-view op-view-${at.view}` });
  main.replaceChildren(place);
  main.scrollIntoView({ block: 'start' });
  try {
    const view = await views[at.view](place, at, appOf(mine));
    if (mine === turn) shown = view;
    else view?.leave?.();
  } catch (error) {
    if (mine !== turn) return;
    if (!operator()) login();
    else retry(error);
  }
}

async function start() {
  const route = parseRoute(location.hash);
  if (route.view === 'setup') {
    document.body.dataset.view = 'login';
    mountSetup(main, route.token, (session) => {
      setSession(session);
      history.replaceState(null, '', hashOf({ view: 'account' }));
      show().then(() => offerTotp(show));
    });
    return;
  }
  try {
    const state = await begin();
    if (state === 'in') await show();
    else if (state === 'out') login();
    else calm(t(`op.${state}.title`), t(`op.${state}.text`));
  } catch (error) {
    retry(error);
  }
}

async function leave() {
  const done = await attempt(logOut);
  if (!done) return;
  forgetDrafts();
  shown?.leave?.();
  shown = null;
  turn += 1;
  history.replaceState(null, '', hashOf({ view: 'queue' }));
  login();
}

function onKey(event) {
  if (!operator() || document.querySelector('dialog[open]')) return;
  // What was struck for a view before this one does nothing here.
  if (shown?.takesKey?.(event) === false) {
    event.preventDefault();
    return;
  }
  const { target } = event;
  const typing = target.matches?.('textarea, select, input:not([type="radio"], [type="checkbox"])') ?? false;
  const pressable = target.closest?.('button, a, summary') !== null;
  const command = commandOf(event, { view: at.view, typing, pressable });
  if (!command) return;
  if (command === 'help') openKeys(at.view);
  else if (command === 'leave-field') target.blur();
  else if (shown?.command?.(command, event) !== true) return;
  event.preventDefault();
}

mountAppbar();
document.addEventListener('keydown', onKey);
document.querySelector('.skip').addEventListener('click', (event) => {
  // The address says where in the console one is.
  event.preventDefault();
  main.focus();
});
document.querySelector('[data-slot="keys"]').addEventListener('click', () => openKeys(at.view));
addEventListener('hashchange', () => (operator() && parseRoute(location.hash).view !== 'setup' ? show() : start()));
// Words of a view are made with it. What is written in it is kept as a draft.
onLanguage(() => (operator() ? show() : start()));
start();

