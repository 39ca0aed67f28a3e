// The reactions to a message: the chip at its bubble's corner, and the row of
// five in its menu. What they mean is model/reactions.js.

import { el } from '../lib/dom.js';
import { language, t } from '../lib/i18n.js';
import { signs } from '../model/reactions.js';

/**
 * Puts the chip of these reactions at a bubble's corner, or takes it away; answers whether there is one.
 * It is no news of the log: what the partner does is announced in words of its own.
 */
export function fillReactions(bubble, { mine, theirs, waiting }, names) {
  const before = bubble.querySelector('.reactions');
  const made = [
    [t('chat.you'), mine],
    [names.partner, theirs],
  ].filter(([, reaction]) => reaction !== null);
  if (made.length === 0) {
    before?.remove();
    return false;
  }
  const label = made.map(([name, reaction]) => t('react.one', { name, reaction: t(`react.${reaction}`) })).join(t('react.and'));
  const key = JSON.stringify([mine, theirs, label, language()]);
  if (before?.dataset.key !== key) {
    const chip = chipOf(made, label);
    chip.dataset.key = key;
    if (before) chip.classList.add('is-changed');
    before?.remove();
    bubble.append(chip);
  }
  bubble.querySelector('.reactions').classList.toggle('is-waiting', waiting && mine !== null);
  return true;
}

/** Two who react alike are one sign and a two. */
function chipOf(made, label) {
  const kinds = [...new Set(made.map(([, reaction]) => reaction))];
  const both = made.length > kinds.length;
  const shown = kinds.map((reaction) => el('span', { 'aria-hidden': 'true' }, signs[reaction]));
  if (both) shown.push(el('span', { class: 'reactions-count', 'aria-hidden': 'true' }, '2'));
  return el('span', { class: 'reactions', test: 'reactions', role: 'img', 'aria-label': label, 'aria-live': 'off', translate: 'no' }, ...shown);
}

/** The row of five for a menu; the one that holds is pressed, and pressing it takes it back. */
export function reactionChoices(mine, onChoose) {
  return {
    label: t('react.label'),
    options: Object.entries(signs).map(([reaction, sign]) => ({
      test: `react-${reaction}`,
      sign,
      label: t(`react.${reaction}`),
      pressed: mine === reaction,
      onPress: () => onChoose(reaction),
    })),
  };
}
