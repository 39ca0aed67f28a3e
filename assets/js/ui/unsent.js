// What was written in a conversation that is no more, and not sent: shown, so
// that it can be copied. It is forgotten only with the page that showed it.

import { byTest, el, setHidden } from '../lib/dom.js';
import { copyText } from '../lib/clipboard.js';
import { t } from '../lib/i18n.js';
import { toast } from './toast.js';

export function mountUnsent(section) {
  const list = section.querySelector('[data-slot="unsent"]');
  let words = [];
  let forget = () => {};
  byTest('unsent-copy', section).addEventListener('click', async () => {
    if (await copyText(words.join('\n'))) toast(t('mm.copied'));
  });
  // The way on from here has been taken: they were seen.
  section.parentElement.addEventListener('click', (event) => event.target.closest('a') && forget());
  return {
    update(texts, onSeen) {
      words = texts;
      forget = onSeen;
      list.replaceChildren(...texts.map((text) => el('li', { dir: 'auto' }, text)));
      setHidden(section, texts.length === 0);
    },
  };
}
