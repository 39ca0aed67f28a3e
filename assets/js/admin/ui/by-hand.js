// A case without a report: for a notice from a parent, a school or the police.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { oneAtATime } from '../../lib/press.js';
import { openSheet } from '../../ui/sheet.js';
import { rules } from '../model/decision.js';
import { post } from '../session.js';
import { wordsFor } from './alert.js';
import { area, field, form, input, select, wrongLine } from './fields.js';
import { reasonName } from './format.js';

export function openByHand(app) {
  const about = select([['room', t('op.byHand.room')], ['session', t('op.byHand.session')]], 'room', { test: 'hand-about' });
  const id = input({ test: 'hand-id', class: 'op-code' });
  const side = select([['a', t('op.side.a')], ['b', t('op.side.b')]], 'a', { test: 'hand-side' });
  const reason = select(rules.map((rule) => [rule, reasonName(rule)]), 'other', { test: 'hand-reason' });
  const note = area('', { test: 'hand-note' });
  const wrong = wrongLine('hand-wrong');
  const sideField = field('op.byHand.side', side);
  about.addEventListener('change', () => {
    sideField.hidden = about.value === 'session';
  });
  const send = oneAtATime(async () => {
    const subject = about.value === 'session' ? { session: id.value.trim() } : { room: id.value.trim(), side: side.value };
    wrong.quiet();
    const lacks = (id.value.trim() === '' && 'op.byHand.needsId') || (note.value.trim() === '' && 'op.byHand.needsNote');
    if (lacks) {
      wrong.say(t(lacks));
      (lacks === 'op.byHand.needsId' ? id : note).focus();
      return;
    }
    try {
      const made = await post('cases/', { ...subject, reason: reason.value, note: note.value.trim() });
      sheet.close();
      app.go({ view: 'case', id: made.id });
    } catch (error) {
      wrong.say(wordsFor(error));
    }
  });
  const go = el('button', { type: 'submit', class: 'button-primary', test: 'hand-go' }, t('op.byHand.go'));
  const inside = form({ class: 'op-form' }, send, el('p', { class: 'sheet-note' }, t('op.byHand.lead')), field('op.byHand.about', about), field('op.byHand.id', id), sideField, field('op.rule', reason), field('op.note', note), wrong.node, go);
  const sheet = openSheet({ title: t('op.byHand.title'), body: [inside], test: 'hand-sheet' });
}
