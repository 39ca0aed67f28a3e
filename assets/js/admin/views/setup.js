// The first administrator: a name and a password, with the link that the server printed.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { Refusal, beginSession } from '../api.js';
import { wordsFor } from '../ui/alert.js';
import { field, form, input, wrongLine } from '../ui/fields.js';

/** @param {HTMLElement} main @param {string} token @param {(session: object) => void} onDone */
export function mountSetup(main, token, onDone) {
  const name = input({ test: 'setup-name', autocomplete: 'username', autocapitalize: 'none', required: true });
  const password = input({ type: 'password', test: 'setup-password', autocomplete: 'new-password', required: true });
  const again = input({ type: 'password', test: 'setup-again', autocomplete: 'new-password', required: true });
  const wrong = wrongLine('setup-wrong');
  const submit = oneAtATime(async () => {
    wrong.quiet();
    if (password.value !== again.value) {
      wrong.say(t('op.password.differ'));
      again.select();
      return;
    }
    try {
      onDone(await beginSession('setup/', { token, name: name.value.trim(), password: password.value }));
    } catch (error) {
      wrong.say(error instanceof Refusal && error.code === 'link_over' ? t('op.setup.over') : wordsFor(error));
    }
  });
  const go = el('button', { type: 'submit', class: 'button-primary', test: 'setup-go' }, t('op.setup.go'));
  const inside = form({ class: 'op-form', test: 'setup' }, submit, field('op.login.name', name), field('op.password.new', password, { hint: t('op.password.hint') }), field('op.password.again', again), wrong.node, go);
  main.replaceChildren(el('section', { class: 'op-calm' }, el('h1', { class: 'op-title' }, t('op.setup.title')), el('p', { class: 'op-lead' }, t('op.setup.lead')), inside));
  document.title = `${t('op.setup.title')} · ${t('op.title')}`;
  name.focus();
}
