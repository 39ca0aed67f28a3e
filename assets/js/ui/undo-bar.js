// "Leaving …", with the way back while there is one: on the waiting screen, or where one wrote.

import { el, setCounting, setHidden, setText } from '../lib/dom.js';
import { around, t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';
import { announce } from './toast.js';

export function mountUndoBar(bar) {
  const text = bar.querySelector('.undo-text');
  const button = el('button', { type: 'button', class: 'undo-back', test: `${bar.dataset.testid}-back` });
  let onBack = () => {};
  bar.append(button);
  button.addEventListener('click', () => onBack());
  return {
    /** `name` is the partner's. */
    show(name, handlers) {
      onBack = handlers.onBack;
      setText(text, t('undo.left', { name }));
      setHidden(bar, false);
      appeared(bar);
      announce(t('undo.said', { name }));
    },
    count: (seconds) => setCounting(button, around('undo.back', 's'), String(seconds)),
    hide: () => setHidden(bar, true),
  };
}
