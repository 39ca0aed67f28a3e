// The strip under the header for what lasts and should be known: a lost
// connection, a store that does not answer, another tab, an end that is near.
// One at a time, the gravest first.

import { byTest, setCounting, setHidden, setText } from '../lib/dom.js';
import { around, t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';

export function mountBanner(banner, { onContinue }) {
  const text = banner.querySelector('.banner-text');
  const button = byTest('continue-here', banner);
  button.addEventListener('click', onContinue);
  return {
    /** `kind`: null, 'replaced', 'stopped', 'blocked', 'lost', 'lostPending', 'store', 'pending' or 'closing', which is `left` (words) away. */
    update(kind, left) {
      if (banner.hidden && kind !== null) appeared(banner, true);
      setHidden(banner, kind === null);
      if (kind === null) return;
      banner.dataset.kind = kind;
      if (kind === 'closing') setCounting(text, around('chat.closing', 't'), left);
      else setText(text, t({ replaced: 'tab', stopped: 'net.stopped', blocked: 'net.blocked', lost: 'net.lost', lostPending: 'net.lostPending', store: 'err.store', pending: 'err.storePending' }[kind]));
      setHidden(button, kind !== 'replaced' && kind !== 'stopped');
      setText(button, t(kind === 'stopped' ? 'net.retry' : 'tab.here'));
    },
  };
}
