// Follows how far the person has read in a conversation (model/reading.js), and
// keeps it in this tab, so that a reload finds the place again.

import { firstNew, followReading, newReading } from '../model/reading.js';
import { loadSeen, saveSeen } from './room-storage.js';

/** `log` is the list of messages (ui/log.js). */
export function createReading({ roomId, log }) {
  let reading = newReading(loadSeen(roomId));
  let hasLooked = false; // since this page shows the room

  return {
    /** The index of the message above which the line stands, or -1. */
    newFrom: (room) => firstNew(reading, room),
    /** Whether what comes is not seen as it comes. */
    isAway: () => !hasLooked || document.hidden,
    /** Looks again. Answers whether the line has moved. */
    follow(room) {
      const before = reading;
      hasLooked = true;
      reading = followReading(reading, room, log.isAtBottom() && !document.hidden);
      if (reading.seen !== before.seen) saveSeen(roomId, reading.seen);
      return firstNew(before, room) !== firstNew(reading, room);
    },
  };
}
