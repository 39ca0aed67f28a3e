// "Clear and start over": what follows when the server has done it, here or in another tab. What is asked before is
// loaded then (ui/forget-sheet.js).

import { t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { tab } from '../lib/storage.js';
import { toast } from './toast.js';

let hear = null; // while this tab asks for it: called when the server tells the browser's sockets that it is done

/** The server says that this browser is forgotten. If another tab asked for it, nothing of the rooms stays in this one. */
export function wasForgotten() {
  if (hear) {
    hear(true);
    return;
  }
  tab.clear();
  location.replace('/?cleared');
}

export const forgetThisBrowser = oneAtATime(async () => {
  try {
    await (await import('./forget-sheet.js')).forgetThisBrowser((listener) => (hear = listener));
  } catch {
    toast(t('app.failed'));
  }
});
