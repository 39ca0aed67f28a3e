// The strip under the header for what is wrong and lasts: a lost connection, a
// store that does not answer, another tab. One at a time, the gravest first.

import { byTest, setHidden, setText } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

export function mountBanner(banner, { onContinue }) {
  const text = banner.querySelector('.banner-text');
  const button = byTest('continue-here', banner);
  button.addEventListener('click', onContinue);
  return {
    /** `kind`: null, 'replaced', 'stopped', 'lost', 'lostDeed', 'store' or 'deed'. */
    update(kind) {
      setHidden(banner, kind === null);
      if (kind === null) return;
      banner.dataset.kind = kind;
      setText(text, t({ replaced: 'tab', stopped: 'net.stopped', lost: 'net.lost', lostDeed: 'net.lostDeed', store: 'err.store', deed: 'err.storeDeed' }[kind]));
      setHidden(button, kind !== 'replaced' && kind !== 'stopped');
      setText(button, t(kind === 'stopped' ? 'net.retry' : 'tab.here'));
    },
  };
}
