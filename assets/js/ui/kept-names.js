// What this browser remembers of people it blocked or reported: what they were called there. The server names none.

import { local } from '../lib/storage.js';
import { now } from '../lib/time.js';
import { readNames, withName } from '../model/blocked-names.js';

export const blockedNames = () => readNames(local.get('blocked'));
export const reportedNames = () => readNames(local.get('reported'));

/** Keeps what a partner is called in the room where this was done to them. */
const remember = (key, names) => (room, partner) => local.set(key, withName(names(), { room, name: partner?.nickname ?? '', avatar: String(partner?.avatar ?? ''), at: now() }));

export const rememberBlocked = remember('blocked', blockedNames);
export const rememberReported = remember('reported', reportedNames);
