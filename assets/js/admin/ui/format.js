// Times, lengths and names of things as the console says them.

import { duration, t } from '../../lib/i18n.js';
import { clock, now, sameDay } from '../../lib/time.js';

const pad = (number) => String(number).padStart(2, '0');

/** The languages that people are told things in, by their own names. */
export const textLanguages = { 'zh-TW': '中文', en: 'English', ja: '日本語' };

/** A moment: the time of day alone where it was today. @param {number} ms */
export function moment(ms) {
  if (sameDay(ms, now())) return clock(ms);
  const date = new Date(ms);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(ms)}`;
}

/** How long ago. @param {number} ms */
export const ago = (ms) => t('op.ago', { t: duration(Math.max(0, now() - ms)) });

/** How long from now. @param {number} ms */
export const left = (ms) => duration(Math.max(0, ms - now()));

/** A length, or that there is no end. @param {number | null | undefined} ms */
export const length = (ms) => (typeof ms === 'number' ? duration(ms) : t('op.noEnd'));

/** @param {string} reason */
export const reasonName = (reason) => t(`op.reason.${reason}`);

/** A warning about self-harm is written out of care, and is no breach. @param {string} kind of a sanction @param {string} [rule] */
export const kindName = (kind, rule) => t(kind === 'warning' && rule === 'self_harm' ? 'op.kind.care' : `op.kind.${kind}`);

/** @param {string} finding @param {string} rule */
export const findingName = (finding, rule) => t(finding === 'violation' && rule === 'self_harm' ? 'op.finding.care' : `op.finding.${finding}`);
