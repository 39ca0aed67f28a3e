// Leaving, with four seconds in which it can be taken back. Next leads to the waiting
// screen at once, End chat stays; the conversation is open meanwhile, and only then is
// it left. The partner is told that it is about to be.

import { monotonicNow } from '../lib/time.js';

const patience = 4000;
const tickEvery = 200;

/** `bar` says what is about to be left and leads back (ui/undo-bar.js). One of `onBack` and `onOver` is called, once. */
export function hesitate({ bar, name, onBack, onOver }) {
  const endsAt = monotonicNow() + patience;
  let done = false;
  bar.show(name, { onBack: back });
  const ticker = setInterval(tick, tickEvery);
  tick();

  /** Ends the waiting, and goes on by `then`. */
  function end(then) {
    if (done) return;
    done = true;
    clearInterval(ticker);
    bar.hide();
    then();
  }

  function tick() {
    const left = endsAt - monotonicNow();
    if (left <= 0) end(onOver);
    else bar.count(Math.ceil(left / 1000));
  }

  function back() {
    end(onBack);
  }

  return { back, end };
}

/** Next. `room` is the open conversation: it shows nothing from now on. */
export function depart({ room, bar, onBack, onOver }) {
  room.suspend();
  const { back, end } = hesitate({ bar, name: room.partnerName(), onBack: () => onBack(room), onOver: () => room.leave(onOver) });
  /** Leaves for good, and then goes on. */
  const commit = (then = () => {}) => end(() => room.leave(then));
  return { back, commit };
}
