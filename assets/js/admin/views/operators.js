// The operators: who they are, what they may, and how another is made. For administrators.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { toast } from '../../ui/toast.js';
import { get, operator, post, put } from '../session.js';
import { attempt } from '../ui/alert.js';
import { askSheet } from '../ui/ask.js';
import { button, field, form, input, select, wrongLine } from '../ui/fields.js';
import { moment } from '../ui/format.js';

const roles = ['moderator', 'administrator'];
const roleOptions = () => roles.map((role) => [role, t(`op.role.${role}`)]);

function newOperator(onDone) {
  const name = input({ test: 'operator-name', autocapitalize: 'none' });
  const role = select(roleOptions(), 'moderator', { test: 'operator-role' });
  const password = input({ type: 'password', test: 'operator-password', autocomplete: 'new-password' });
  const wrong = wrongLine('operator-wrong');
  const submit = oneAtATime(() => {
    wrong.quiet();
    return attempt(async () => {
      await post('operators/', { name: name.value.trim(), role: role.value, password: password.value });
      toast(t('op.operators.made', { name: name.value.trim() }));
      await onDone();
    }, wrong.say);
  });
  const inside = form({ class: 'op-form op-form-wide' }, submit, field('op.login.name', name), field('op.role', role), field('op.password.first', password, { hint: t('op.password.hint') }), wrong.node, el('button', { type: 'submit', class: 'button-primary', test: 'operator-go' }, t('op.operators.make')));
  return el('details', { class: 'op-fold', test: 'new-operator' }, el('summary', {}, t('op.operators.new')), inside);
}

export async function mountOperators(place) {
  const list = el('ul', { class: 'op-rows op-list', test: 'operators' });
  const maker = el('div');
  place.append(el('header', { class: 'op-head' }, el('h1', { class: 'op-title' }, t('op.nav.operators'))), list, maker);

  const act = (it, body, words) => attempt(async () => {
    await put(`operators/${it.id}/`, body);
    toast(t(words, { name: it.name }));
    await refresh();
  });

  async function newPassword(it) {
    const control = input({ type: 'password', autocomplete: 'new-password', test: 'new-password' });
    const asked = await askSheet({ title: t('op.operators.password', { name: it.name }), text: t('op.operators.passwordText'), go: 'op.save', control, label: 'op.password.new' });
    if (asked?.words) await act(it, { password: asked.words }, 'op.operators.changed');
  }

  async function changeRole(it) {
    const role = it.role === 'moderator' ? 'administrator' : 'moderator';
    const answer = await askSheet({ title: t(`op.operators.to.${role}`, { name: it.name }), text: t(`op.role.${role}.text`), go: 'op.operators.change' });
    if (answer !== null) await act(it, { role }, 'op.operators.changed');
  }

  async function disable(it) {
    const answer = await askSheet({ title: t('op.operators.disable.title', { name: it.name }), text: t('op.operators.disable.text'), go: 'op.operators.disable', danger: true });
    if (answer !== null) await act(it, { disabled: true }, 'op.operators.changed');
  }

  function row(it) {
    const facts = [t(`op.role.${it.role}`), t(it.totp ? 'op.totp.on' : 'op.totp.off'), t('op.operators.since', { t: moment(it.since_ms) })];
    if (it.disabled_ms) facts.push(t('op.operators.disabledAt', { t: moment(it.disabled_ms) }));
    const acts = it.disabled_ms
      ? [button('op.operators.enable', () => act(it, { disabled: false }, 'op.operators.changed'), { kind: 'link' })]
      : [
          button(`op.operators.make.${it.role === 'moderator' ? 'administrator' : 'moderator'}`, () => changeRole(it), { kind: 'link', test: 'role' }),
          button('op.operators.newPassword', () => newPassword(it), { kind: 'link' }),
          it.totp && button('op.totp.takeAway', () => act(it, { totp: false }, 'op.operators.changed'), { kind: 'link' }),
          button('op.operators.disable', () => disable(it), { kind: 'link', test: 'disable' }),
        ];
    const own = it.id === operator().id;
    return el('li', { class: `op-row${it.disabled_ms ? ' is-taken' : ''}`, test: 'operator' }, el('p', { class: 'op-row-main' }, el('strong', {}, el('bdi', {}, it.name)), own && ` · ${t('op.you')}`), el('p', { class: 'op-meta' }, facts.join(' · ')), !own && el('p', { class: 'op-links' }, ...acts));
  }

  async function refresh() {
    const { operators } = await get('operators/');
    list.replaceChildren(...operators.map(row));
    maker.replaceChildren(newOperator(refresh));
  }

  await refresh();
  return {};
}
