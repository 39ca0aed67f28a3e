// The switch "call me when someone comes" on the waiting screen. What a press on it asks and says is loaded then
// (ui/call-sheet.js).

import { setHidden, setText } from '../lib/dom.js';
import { isOn, obstacle } from '../lib/call-me.js';
import { t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { toast } from './toast.js';

/** `onChange(subscription)`: it was switched on with this subscription, or off with null. */
export function mountCallMe(button, { getSite, onChange }) {
  button.addEventListener('click', oneAtATime(press));

  function render() {
    const { push } = getSite();
    setHidden(button, obstacle(push) === 'site');
    setText(button.querySelector('span'), t('match.call', { state: t(isOn(push) ? 'menu.on' : 'menu.off') }));
    button.classList.toggle('is-on', isOn(push));
  }

  async function press() {
    try {
      await (await import('./call-sheet.js')).pressed({ site: getSite(), onChange });
    } catch {
      // It, or its words, cannot be had just now.
      toast(t('app.failed'));
    }
    render();
  }

  render();
  return { render };
}
