// One's own account: password, second factor, sessions, log-out.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { toast } from '../../ui/toast.js';
import { get, operator, post, remove, setSession } from '../session.js';
import { attempt } from '../ui/alert.js';
import { askSheet } from '../ui/ask.js';
import { button, field, form, input, wrongLine } from '../ui/fields.js';
import { ago, moment } from '../ui/format.js';
import { openTotp } from '../ui/totp.js';

const secret = (attributes) => input({ type: 'password', ...attributes });

function passwordCard() {
  const current = secret({ autocomplete: 'current-password', test: 'password-current' });
  const next = secret({ autocomplete: 'new-password', test: 'password-new' });
  const again = secret({ autocomplete: 'new-password', test: 'password-again' });
  const wrong = wrongLine('password-wrong');
  const submit = oneAtATime(async () => {
    wrong.quiet();
    if (next.value !== again.value) {
      wrong.say(t('op.password.differ'));
      again.select();
      return;
    }
    await attempt(async () => {
      await post('password/', { current: current.value, new: next.value });
      for (const node of [current, next, again]) node.value = '';
      toast(t('op.password.done'));
    }, wrong.say);
  });
  return el('section', { class: 'op-card op-card-tall' }, el('h2', { class: 'op-subtitle' }, t('op.password.title')), form({ class: 'op-form', test: 'password' }, submit, field('op.password.current', current), field('op.password.new', next, { hint: t('op.password.hint') }), field('op.password.again', again), wrong.node, el('button', { type: 'submit', class: 'button-ghost', test: 'password-go' }, t('op.password.go'))));
}

function totpCard(refresh) {
  const { totp, recovery_codes: codes } = operator();
  async function takeAway() {
    const asked = await askSheet({ title: t('op.totp.endTitle'), text: t('op.totp.endText'), go: 'op.totp.end', control: secret({ autocomplete: 'current-password', test: 'totp-password' }), label: 'op.login.password' });
    if (asked === null) return;
    await attempt(async () => {
      await remove('totp/', { password: asked.words });
      toast(t('op.totp.ended'));
      await refresh();
    });
  }
  const state = totp ? t('op.totp.codesLeft', { n: codes }) : t('op.totp.why');
  const go = button(totp ? 'op.totp.again' : 'op.totp.begin', () => attempt(() => openTotp(refresh)), { kind: totp ? 'ghost' : 'primary', test: 'totp-begin' });
  return el('section', { class: 'op-card', test: 'totp' }, el('h2', { class: 'op-subtitle' }, t('op.totp.title')), el('p', { class: totp ? 'op-good' : 'op-warning' }, t(totp ? 'op.totp.on' : 'op.totp.off')), el('p', { class: 'op-hint' }, state), el('div', { class: 'op-buttons' }, go, totp && button('op.totp.end', takeAway, { test: 'totp-end' })));
}

function sessionsCard(sessions, refresh) {
  const end = (id) => attempt(async () => {
    await remove(`sessions/${encodeURIComponent(id)}/`);
    await refresh();
  });
  const row = (it) => el('li', { class: 'op-row', test: 'session' }, el('p', { class: 'op-row-main' }, el('strong', {}, t('op.sessions.since', { t: moment(it.since_ms) })), it.current && ` · ${t('op.sessions.this')}`), el('p', { class: 'op-meta' }, t('op.sessions.used', { t: ago(it.used_ms) })), !it.current && el('p', { class: 'op-links' }, button('op.sessions.end', () => end(it.id), { kind: 'link', test: 'session-end' })));
  return el('section', { class: 'op-card' }, el('h2', { class: 'op-subtitle' }, t('op.sessions.title')), el('ul', { class: 'op-rows' }, ...sessions.map(row)));
}

export async function mountAccount(place, _, app) {
  const cards = el('div', { class: 'op-cards op-cards-two' });
  const head = el('header', { class: 'op-head' }, el('div', {}, el('h1', { class: 'op-title' }, el('bdi', {}, operator().name)), el('p', { class: 'op-meta' }, t(`op.role.${operator().role}`))), button('op.logout', () => app.out(), { test: 'logout' }));
  place.append(head, cards);
  async function refresh() {
    const [session, { sessions }] = await Promise.all([get('session/'), get('sessions/')]);
    setSession(session);
    cards.replaceChildren(totpCard(refresh), passwordCard(), sessionsCard(sessions, refresh));
  }
  await refresh();
  return {};
}
