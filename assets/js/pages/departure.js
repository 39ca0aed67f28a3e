// Leaving by Next: one press leads to the waiting screen, and for four seconds the
// way back is there. The conversation stays open behind it and shows nothing; only
// then is it left, and the partner sees it.

import { monotonicNow } from '../lib/time.js';

const patience = 4000;
const tickEvery = 200;

/** `room` is the open conversation, `bar` says that it was left and leads back (ui/undo-bar.js). */
export function depart({ room, bar, onBack, onOver }) {
  const endsAt = monotonicNow() + patience;
  let done = false;
  room.suspend();
  bar.show(room.partnerName(), { onBack: back });
  const ticker = setInterval(tick, tickEvery);
  tick();

  /** Whether this is the first end of it. */
  function end() {
    if (done) return false;
    done = true;
    clearInterval(ticker);
    bar.hide();
    return true;
  }

  function tick() {
    const left = endsAt - monotonicNow();
    if (left <= 0) commit(onOver);
    else bar.count(Math.ceil(left / 1000));
  }

  function back() {
    if (end()) onBack(room);
  }

  /** Leaves for good, and then goes on. */
  function commit(then = () => {}) {
    if (end()) room.leave(then);
  }

  return { back, commit };
}
