// The sheet of one notice: what was decided, by which rule, in the operator's words, when, and how to appeal.

import { el } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { momentText, now, untilText } from '../lib/time.js';
import { answerTo, isOver } from '../model/notices.js';
import { appealPart } from './appeal.js';
import { helpLinks } from './help-links.js';
import { openSheet } from './sheet.js';

const rules = new Set(['harassment', 'sexual', 'minor', 'self_harm', 'spam', 'other']);
const sanctions = new Set(['warning', 'mute', 'ban']);

/** A rule in words; one that these pages do not know is one of the site's. @param {string} rule */
export const ruleText = (rule) => t(`notices.rule.${rules.has(rule) ? rule : 'other'}`);

/**
 * What kind of words it needs: an outcome that names a rule is of an appeal, and a warning about self-harm
 * is written to a person that others worry about.
 * @param {import('../model/notices.js').Notice} notice
 */
export function titleKey({ kind, rule }) {
  if (kind === 'outcome' && rule !== null) return 'appealed';
  return kind === 'warning' && rule === 'self_harm' ? 'care' : kind;
}

/** The rule that was broken, in words; null: none was. @param {import('../model/notices.js').Notice} notice */
export const brokenRule = (notice) => notice.rule && titleKey(notice) !== 'care' && ruleText(notice.rule);

/** @param {import('../model/notices.js').Notice} notice */
function whatKey(notice) {
  const key = titleKey(notice);
  if (key === 'outcome') return notice.acted ? 'acted' : 'looked';
  if (key === 'appealed') return notice.acted ? 'changed' : 'upheld';
  return key;
}

/** Rule, times, and who decided. @param {import('../model/notices.js').Notice} notice */
export function facts(notice) {
  const { kind, from, until, automatic } = notice;
  const rule = brokenRule(notice);
  const holdsOn = kind === 'mute' || kind === 'ban';
  const rows = [
    rule && ['rule', rule],
    from > 0 && ['from', momentText(from, language())],
    holdsOn && ['until', until === null ? t('notices.open') : untilText(until, language())],
    sanctions.has(kind) && ['by', t(automatic ? 'notices.by.machine' : 'notices.by.person')],
  ];
  return el('dl', { class: 'notice-facts' }, ...rows.filter(Boolean).flatMap(([key, value]) => [el('dt', {}, t(`notices.${key}`)), el('dd', {}, value)]));
}

/** An operator's words. @param {string} text */
export const words = (text) => text.trim() !== '' && el('p', { class: 'notice-text', dir: 'auto', test: 'notice-text' }, text.trim());

/** The answer to an appeal against this notice. */
export function answerPart(state, notice) {
  const answer = answerTo(state, notice);
  return answer && el('div', { class: 'notice-answer', test: 'appeal-answer' }, el('h3', { class: 'sheet-heading' }, t('notices.appeal.answer')), el('p', {}, t(`notices.what.${whatKey(answer)}`)), words(answer.text));
}

/**
 * Opens it. Resolves to true when it was confirmed, else null.
 * @param {import('../model/notices.js').Notice} notice
 */
export function openNotice(notice, { get, set, mustConfirm = false }) {
  const key = titleKey(notice);
  const isPlain = key === 'broadcast';
  const over = isOver(get(), notice, now());
  const done = el('button', { type: 'button', class: mustConfirm ? 'button-primary' : 'button-ghost', test: 'notice-confirm' }, t(mustConfirm ? 'notices.confirm' : 'app.done'));
  const body = [
    !isPlain && el('p', {}, t(`notices.what.${over ? 'over' : whatKey(notice)}`)),
    words(notice.text),
    key === 'care' && el('ul', { class: 'notice-help', test: 'notice-help' }, ...helpLinks()),
    facts(notice),
    appealPart(notice, { get, set }),
    answerPart(get(), notice),
  ];
  const sheet = openSheet({ title: t(`notices.${key}`), body: body.filter(Boolean), foot: [done], test: 'notice-sheet', className: 'sheet-ask sheet-notice' });
  done.addEventListener('click', () => sheet.close(true));
  // It lies in the foot: to scroll to it would hide how the words begin.
  done.focus({ preventScroll: true });
  return sheet.closed;
}
