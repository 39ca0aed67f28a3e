// The log-in: name and password, the code only when it is asked for. In a page of its
// own, or over what is open when a session has ended.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { openSheet } from '../../ui/sheet.js';
import { Refusal, beginSession } from '../api.js';
import { wordsFor } from './alert.js';
import { field, form, input, wrongLine } from './fields.js';

/** @param {(session: object) => void} onDone */
export function loginForm(onDone, name = '') {
  const names = input({ test: 'login-name', autocomplete: 'username', autocapitalize: 'none', required: true, value: name });
  const password = input({ type: 'password', test: 'login-password', autocomplete: 'current-password', required: true });
  const code = input({ test: 'login-code', autocomplete: 'one-time-code', autocapitalize: 'none' });
  const codeField = field('op.login.code', code, { hint: t('op.login.codeHint') });
  const wrong = wrongLine('login-wrong');
  const send = el('button', { type: 'submit', class: 'button-primary', test: 'login-go' }, t('op.login.go'));
  codeField.hidden = true;
  const submit = oneAtATime(async () => {
    wrong.quiet();
    try {
      const extra = code.value.trim() ? { code: code.value.trim() } : {};
      onDone(await beginSession('session/', { name: names.value.trim(), password: password.value, ...extra }));
    } catch (error) {
      refused(error);
    }
  });
  function refused(error) {
    const asksCode = error instanceof Refusal && error.code === 'code_needed';
    if (asksCode && codeField.hidden) {
      codeField.hidden = false;
      code.focus();
      return;
    }
    wrong.say(wordsFor(error));
    (codeField.hidden ? password : code).select();
  }
  return form({ class: 'op-form', test: 'login' }, submit, field('op.login.name', names), field('op.login.password', password), codeField, wrong.node, send);
}

/** Resolves to the new session, or null when it was closed. @param {string} name who was logged in */
export async function loginSheet(name) {
  let sheet = null;
  const inside = loginForm((session) => sheet.close(session), name);
  sheet = openSheet({ title: t('op.login.again'), body: [el('p', { class: 'sheet-note' }, t('op.login.kept')), inside], test: 'login-sheet' });
  inside.querySelector('[type="password"]').focus();
  return sheet.closed;
}
