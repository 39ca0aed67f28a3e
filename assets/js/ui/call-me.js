// The switch "call me when someone comes" on the waiting screen. Switching on says
// first what the browser's vendor learns; where it cannot be, a press says why.

import { el, setHidden, setText } from '../lib/dom.js';
import { isOn, leaveWords, obstacle, subscribe, unsubscribe, wanted } from '../lib/call-me.js';
import { duration, t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { openSheet } from './sheet.js';
import { toast } from './toast.js';

/** `onChange(subscription)`: it was switched on with this subscription, or off with null. */
export function mountCallMe(button, { getSite, onChange }) {
  button.addEventListener('click', oneAtATime(press));

  function render() {
    const { push } = getSite();
    setHidden(button, obstacle(push) === 'site');
    setText(button, t('call.switch', { state: t(isOn(push) ? 'menu.on' : 'menu.off') }));
  }

  async function press() {
    const site = getSite();
    const hindered = obstacle(site.push);
    if (hindered) await explain(t(`call.${hindered}`));
    else if (isOn(site.push)) await switchOff();
    else if (await ask(site)) await switchOn(site);
    render();
  }

  async function switchOff() {
    onChange(null);
    await unsubscribe().catch(() => {});
  }

  async function switchOn(site) {
    if ((await Notification.requestPermission()) !== 'granted') {
      toast(t('call.refused'));
      return;
    }
    try {
      const subscription = await subscribe(site.push);
      wanted.set(true);
      await leaveWords(site.name);
      onChange(subscription);
    } catch {
      toast(t('call.failed'));
    }
  }

  render();
  return { render };
}

async function ask(site) {
  const yes = el('button', { type: 'button', class: 'button-primary', test: 'call-yes' }, t('call.yes'));
  const no = el('button', { type: 'button', class: 'button-ghost', test: 'call-no' }, t('app.cancel'));
  const body = [el('p', {}, t('call.what', { t: duration(site.push.call_for_ms) })), el('p', {}, t('call.vendor'))];
  const sheet = openSheet({ title: t('call.title'), body, foot: [no, yes], test: 'call-sheet', className: 'sheet-ask' });
  yes.addEventListener('click', () => sheet.close(true));
  no.addEventListener('click', () => sheet.close());
  return (await sheet.closed) === true;
}

const explain = (why) => openSheet({ title: t('call.title'), body: [el('p', {}, why)], test: 'call-sheet', className: 'sheet-ask' }).closed;
