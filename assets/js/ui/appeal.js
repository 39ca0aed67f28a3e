// Asking once that a decision be looked at again: the form, and how far it is. What is written stays in this tab
// until it is sent.

import { el, setCounting, setText } from '../lib/dom.js';
import { around, t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { tab } from '../lib/storage.js';
import { countCharacters, shows } from '../model/text.js';
import { wellFormed } from '../model/well-formed.js';
import { postAppeal } from '../net/http.js';

const most = 2000;
const countFrom = 200;

/**
 * The part of a sheet or page that is about appealing; null: there is nothing to appeal.
 * @param {import('../model/notices.js').Notice} notice
 */
export function appealPart(notice, { get, set }) {
  const { id } = notice;
  const stateOf = () => get().list.find((it) => it.id === id)?.appeal ?? notice.appeal;
  if (!['possible', 'pending', 'decided'].includes(stateOf())) return null;
  const box = el('section', { class: 'notice-appeal', test: 'appeal' });
  const draft = `appeal.${id}`;

  function show() {
    const state = stateOf();
    if (state === 'possible') box.replaceChildren(...(tab.get(draft) ? form() : question()));
    else box.replaceChildren(el('p', { class: 'notice-state', tabindex: '-1', test: `appeal-${state}` }, t(`notices.appeal.${state}`)));
  }

  function question() {
    const open = el('button', { type: 'button', class: 'button-ghost', test: 'appeal-open' }, t('notices.appeal.open'));
    open.addEventListener('click', () => {
      box.replaceChildren(...form());
      box.querySelector('textarea').focus();
    });
    return [el('p', { class: 'sheet-note' }, t('notices.appeal.ask')), open];
  }

  function form() {
    const field = el('textarea', { id: 'appeal-text', class: 'notice-field', test: 'appeal-text', rows: 4, dir: 'auto', autocomplete: 'off', 'aria-describedby': 'appeal-count' });
    const count = el('p', { id: 'appeal-count', class: 'sheet-note', test: 'appeal-count' });
    const problem = el('p', { class: 'notice-problem', role: 'alert', test: 'appeal-problem' });
    const send = el('button', { type: 'button', class: 'button-primary', test: 'appeal-send' }, t('notices.appeal.send'));
    const text = () => wellFormed(field.value.trim());
    field.value = tab.get(draft, '');

    function changed() {
      if (field.value) tab.set(draft, field.value);
      else tab.remove(draft);
      const left = most - countCharacters(text());
      if (left > countFrom) setText(count, t('notices.appeal.once', { n: most }));
      else setCounting(count, around(left >= 0 ? 'chat.left' : 'chat.over', 'n'), String(Math.abs(left)));
      count.classList.toggle('is-over', left < 0);
      send.disabled = !shows(text()) || left < 0;
    }

    field.addEventListener('input', changed);
    send.addEventListener('click', oneAtATime(async () => {
      setText(problem, '');
      const failed = await failure(text());
      if (failed) {
        setText(problem, t(failed));
        return;
      }
      tab.remove(draft);
      const state = get();
      set({ ...state, list: state.list.map((it) => (it.id === id ? { ...it, appeal: 'pending' } : it)) });
      if (!box.isConnected) return; // the page around it was made anew
      show();
      box.querySelector('[tabindex]')?.focus();
    }));
    changed();
    return [el('label', { class: 'notice-label', for: field.id }, t('notices.appeal.label')), field, count, problem, send];
  }

  /** The key of what to say when the server does not have it, be it from before. */
  async function failure(text) {
    try {
      await postAppeal(id, text);
      return null;
    } catch ({ code }) {
      if (code === 'already_appealed') return null;
      return code === 'nothing_to_appeal' ? 'notices.what.over' : 'notices.appeal.failed';
    }
  }

  show();
  return box;
}
