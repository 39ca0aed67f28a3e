// Two small things told to the partner: that this person is typing, and how far
// they have read. Both are best effort and sent sparingly; read receipts can be
// switched off. And the partner's own signs, which end by themselves.

import { readReceipts } from '../lib/settings.js';
import { shows } from '../model/text.js';
import { monotonicNow } from '../lib/time.js';

const typingEvery = 3000;
const typingIdle = 4500;
const signFor = 7000;

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
      if (toldAt !== null && monotonicNow() - toldAt < typingEvery) return;
      toldAt = monotonicNow();
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

/** A sign of the partner's, that they type or are about to leave, ends by itself, should its end be lost. */
export function createPartnerSign(onExpired) {
  let timer = null;
  return {
    follow(isThere) {
      clearTimeout(timer);
      if (isThere) timer = setTimeout(onExpired, signFor);
    },
    stop: () => clearTimeout(timer),
  };
}

export function createReadReceipts(tell) {
  let told = 0;
  return {
    seen(seq, canTell) {
      if (seq <= told || !canTell || !readReceipts.get()) return;
      if (tell(seq)) told = seq;
    },
    forget() {
      told = 0;
    },
  };
}
