// Reporting the other side of a conversation: whether it is offered, and what follows from it. The dialog is
// loaded when it is asked for.

import { t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { canBeReported, canBlock } from '../model/room-queries.js';
import { toast } from '../ui/toast.js';
import { sideOf } from './room-storage.js';

/** `core` is the running room; `block` blocks without asking once more. */
export function createReporting({ core, block }) {
  return {
    /** Only where the site says that there is an operator who reads it. */
    isOffered: () => Boolean(core.getSite().options.reports) && canBeReported(core.getState()),
    /** About the conversation, or about this message of the other side. */
    open: oneAtATime(async (message = null) => {
      const room = core.getState();
      try {
        const { openReport } = await import('../ui/report.js');
        const done = await openReport({ room, token: sideOf(room.roomId).token, chosen: message, canBlock: canBlock(room) });
        if (done?.block) block();
      } catch {
        toast(t('app.failed'));
      }
    }),
  };
}
