// Two small things told to the partner: that I am writing, and how far I have
// read. Both are best effort and sent sparingly; read marks can be switched off.

import { readMarks } from '../lib/settings.js';
import { shows } from '../model/text.js';
import { ticks } from '../lib/time.js';

const typingEvery = 3000;
const typingIdle = 4500;

export function createTyping(tell) {
  let toldAt = null;
  let timer = null;

  function end() {
    clearTimeout(timer);
    if (toldAt === null) return;
    toldAt = null;
    tell(false);
  }

  return {
    changed(text) {
      if (!shows(text)) {
        end();
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(end, typingIdle);
      if (toldAt !== null && ticks() - toldAt < typingEvery) return;
      toldAt = ticks();
      tell(true);
    },
    /** A message ends typing by itself: nothing has to be said. */
    sent() {
      clearTimeout(timer);
      toldAt = null;
    },
    stop: () => clearTimeout(timer),
  };
}

export function createReadMarks(tell) {
  let told = 0;
  return {
    seen(seq, canTell) {
      if (seq <= told || !canTell || !readMarks.get()) return;
      if (tell(seq)) told = seq;
    },
    forget() {
      told = 0;
    },
  };
}
