// What takes the composer's place when a conversation is over.

import { byTest, el, setHidden, setText } from '../lib/dom.js';
import { duration, t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';
import { canBeReported, canBlock, hasWords, isOver, minutesTalked } from '../model/room-queries.js';

export function mountEndCard(section, { onNext, onBlock, onReport, onSave, onForget }) {
  let shown = '';
  return {
    /** `retention`: how long the server keeps a closed conversation, in ms; `reports`: an operator reads reports. */
    update(state, { retention, reports }, now) {
      // It comes where one was writing, when the other side leaves.
      if (section.hidden && isOver(state)) appeared(section, state.ended?.by !== 'me');
      setHidden(section, !isOver(state));
      if (section.hidden) {
        shown = '';
        return;
      }
      const title = endTitle(state);
      const blocks = canBlock(state);
      const canReport = reports && canBeReported(state);
      const canSave = hasWords(state);
      const key = `${title}|${blocks}|${canReport}|${canSave}|${t('menu.forget')}`;
      if (key === shown) {
        setText(byTest('end-note', section), endNote(state, retention, now));
        return;
      }
      shown = key;
      section.setAttribute('aria-label', title);
      section.replaceChildren(
        el('h2', { class: 'end-title', tabindex: '-1' }, title),
        el('p', { class: 'end-note', test: 'end-note' }, endNote(state, retention, now)),
        el(
          'div',
          { class: 'end-actions' },
          el('button', { type: 'button', class: 'button-primary', test: 'end-next', onclick: onNext }, t('end.next')),
          el('a', { class: 'button-ghost', href: '/', test: 'end-home' }, t('app.toHome')),
          blocks && el('button', { type: 'button', class: 'button-ghost', test: 'end-block', onclick: onBlock }, t('menu.block')),
        ),
        el(
          'div',
          { class: 'end-more' },
          canReport && el('button', { type: 'button', class: 'button-text', test: 'end-report', onclick: onReport }, t('menu.report')),
          canSave && el('button', { type: 'button', class: 'button-text', test: 'end-save', onclick: onSave }, t('transcript.title')),
          el('button', { type: 'button', class: 'button-text', test: 'end-forget', onclick: onForget }, t('menu.forget')),
        ),
      );
    },
  };
}

/** How long they talked, and how long it is kept from now on. */
export function endNote(state, retention, now) {
  const left = state.erasesAt === null ? (state.ended?.at ?? now) + (retention ?? NaN) - now : state.erasesAt - now;
  const minutes = minutesTalked(state);
  const note = minutes === 0 ? 'end.brief' : state.blocked ? 'end.blocked' : 'end.talked';
  return t(note, { n: minutes, t: duration(left) });
}

const reasons = {
  timeout: { you: 'end.timeoutYou', both: 'end.timeoutBoth', partner: 'end.timeout' },
  no_show: { you: 'end.noShowYou', both: 'end.noShowBoth', partner: 'end.noShow' },
  time_up: { partner: 'end.timeUp' },
};

/** Why it is over: who was away is told so, and never that it was the other. Until the log says why, only that it is. */
export function endTitle(state) {
  if (state.blocked) return t('app.blocked');
  if (!state.ended) return t('end.over');
  const { by, reason, gone } = state.ended;
  if (by === 'me') return t('end.me');
  return t(reasons[reason]?.[gone ?? 'partner'] ?? 'end.left', { name: state.partner?.nickname ?? '' });
}
