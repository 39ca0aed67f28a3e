// What is dragged onto the page. A browser opens a file or an address that no field
// takes, in place of the conversation; so everything is refused but words for a
// field. That files cannot be sent is said while they are still in the hand.

import { t } from '../lib/i18n.js';
import { toast } from './toast.js';

export function refuseDrops() {
  let told = false; // of this drag
  const isFile = (types) => types.includes('Files');
  const isForField = (target, types) => types.includes('text/plain') && Boolean(target.closest?.('textarea, input:not([type="radio"], [type="checkbox"])'));

  function refuse(event) {
    const types = event.dataTransfer?.types ?? [];
    if (!isFile(types) && isForField(event.target, types)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'none';
    if (!isFile(types) || told) return;
    told = true;
    toast(t('drop.files'));
  }

  const over = () => {
    told = false;
  };
  addEventListener('dragenter', refuse);
  addEventListener('dragover', refuse);
  addEventListener('drop', (event) => {
    refuse(event);
    over();
  });
  addEventListener('dragend', over);
  // Out of the window, and not from one element of it to the next.
  addEventListener('dragleave', (event) => event.relatedTarget === null && over());
}
