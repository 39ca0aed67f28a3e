// What this browser remembers of people it reported: what they were called there. The server names none.

import { local } from '../lib/storage.js';
import { now } from '../lib/time.js';
import { readNames, withName } from '../model/blocked-names.js';

export const reportedNames = () => readNames(local.get('reported'));

/** Keeps what the partner who is reported now is called here. */
export function rememberReported(room, partner) {
  local.set('reported', withName(reportedNames(), { room, name: partner?.nickname ?? '', avatar: String(partner?.avatar ?? ''), at: now() }));
}
