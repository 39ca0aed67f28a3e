// The way back to the conversations that ended in this tab, until they are erased:
// what the end card promises must lead somewhere. The newest has a row of its own, the
// earlier ones a sheet (ui/earlier-sheet.js). In this tab only: what has ended is not
// opened for the next person at this browser.

import { avatarUrl, setHidden, setText } from '../lib/dom.js';
import { duration, t } from '../lib/i18n.js';
import { oneAtATime } from '../lib/press.js';
import { deviceTime } from '../lib/time.js';
import { getRoomOf } from '../net/http.js';
import { toast } from '../ui/toast.js';
import { forgetSide, knownRooms, setRoomHere, sideOf } from './room-storage.js';

/** The rooms of this tab, newest first. Nothing leads back to people who were blocked. */
const roomsOfTab = () => knownRooms().filter((id) => sideOf(id).token && !sideOf(id).blocked).reverse();

/** What has become of a room; null: it is open. One that is erased is forgotten, and undefined. */
async function askFor(roomId) {
  try {
    const answer = await getRoomOf(sideOf(roomId).token);
    return answer.active === false && typeof answer.erases_ms === 'number' ? { ...answer, erasesAt: deviceTime() + answer.erases_ms } : null;
  } catch (error) {
    if (error?.code !== 'no_such_room') throw error;
    forgetSide(roomId);
    return undefined;
  }
}

/** `bar` is the row on the home page, `more` the button below it. */
export function mountEnded(bar, more) {
  let room = null;
  let openId = null;
  bar.addEventListener('click', () => setRoomHere(room?.room_id));
  const earlier = () => roomsOfTab().filter((id) => id !== openId && (bar.hidden || id !== room?.room_id));
  more.addEventListener('click', oneAtATime(async () => {
    try {
      const { openEarlier } = await import('../ui/earlier-sheet.js');
      await openEarlier({ ids: earlier(), askFor, onChoose: setRoomHere });
    } catch {
      toast(t('app.failed'));
    }
    paint();
  }));

  function paint() {
    const left = (room?.erasesAt ?? 0) - deviceTime();
    setHidden(bar, openId !== null || !room || left <= 0);
    setHidden(more, earlier().length === 0);
    if (bar.hidden) return;
    bar.querySelector('img').src = avatarUrl(room.partner?.avatar);
    setText(bar.querySelector('.resume-text'), t('home.ended', { name: room.partner?.nickname ?? '' }));
    setText(bar.querySelector('.resume-note'), t('home.endedNote', { t: duration(left) }));
  }

  return {
    /** `roomId`: the open conversation, which has the place of the row; null: none. */
    show(roomId) {
      openId = roomId;
      paint();
    },
    /** Asks what the newest room of this tab has become. */
    async refresh() {
      const [newest] = roomsOfTab();
      if (newest) room = await askFor(newest).catch(() => room) ?? null;
    },
  };
}
