// The way back to the conversation that ended last in this tab, until it is erased:
// what the end card promises must lead somewhere. In this tab only: what has ended
// is not opened for the next person at this browser.

import { avatarUrl, setHidden, setText } from '../lib/dom.js';
import { duration, t } from '../lib/i18n.js';
import { deviceTime } from '../lib/time.js';
import { getRoomOf } from '../net/http.js';
import { forgetSide, knownRooms, setRoomHere, sideOf } from './room-storage.js';

/** `bar` is the row on the home page. */
export function mountEnded(bar) {
  let room = null;
  let erasesAt = 0;
  bar.addEventListener('click', () => setRoomHere(room?.room_id));

  function show(hidden) {
    const left = erasesAt - deviceTime();
    setHidden(bar, hidden || !room || left <= 0);
    if (bar.hidden) return;
    bar.querySelector('img').src = avatarUrl(room.partner?.avatar);
    setText(bar.querySelector('.resume-text'), t('home.ended', { name: room.partner?.nickname ?? '' }));
    setText(bar.querySelector('.resume-note'), t('home.endedNote', { t: duration(left) }));
  }

  return {
    /** `hidden` while an open conversation has this place. */
    show,
    /** Asks what the newest room of this tab has become. One that is erased is forgotten. */
    async refresh() {
      // Nothing leads back to people who were blocked.
      const roomId = knownRooms().findLast((id) => !sideOf(id).blocked);
      if (!roomId) return;
      try {
        const answer = await getRoomOf(sideOf(roomId).token);
        room = answer.active === false && typeof answer.erases_ms === 'number' ? answer : null;
        erasesAt = deviceTime() + (answer.erases_ms ?? 0);
      } catch (error) {
        if (error?.code !== 'no_such_room') return;
        forgetSide(roomId);
        room = null;
      }
    },
  };
}
