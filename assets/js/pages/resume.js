// The row on the home page that leads back to the open conversation: what came there
// meanwhile, and how long it still waits for a page of ours.

import { avatarUrl, byTest, setCounting, setHidden, setText } from '../lib/dom.js';
import { around, t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';
import { minutesSeconds, monotonicNow } from '../lib/time.js';
import { countMessages } from '../net/http.js';
import { loadSeen, setRoomHere } from './room-storage.js';

/** `onOver`: the time is up, and the conversation with it. */
export function mountResume(bar, { onOver }) {
  const news = byTest('resume-news', bar);
  const waits = byTest('resume-waits', bar);
  let room = null;
  let endsAt = NaN;
  let counted = ''; // the log as it was when `count` was counted
  let count = 0;
  // The room is handed over inside this tab: no address names it.
  bar.addEventListener('click', () => setRoomHere(room?.room_id));
  setInterval(tick, 1000);

  /** While no page is in it the other side sees that, and it ends in a while. */
  function renderWait() {
    const left = endsAt - monotonicNow();
    setHidden(waits, !(left > 0));
    if (left > 0) setCounting(waits, around('home.waits', 't'), minutesSeconds(left));
  }

  function tick() {
    if (!room) return;
    renderWait();
    if (endsAt > monotonicNow()) return;
    if (!Number.isNaN(endsAt)) onOver();
    endsAt = NaN;
  }

  return {
    /** `next` is the open conversation as the server tells it; null: there is none. */
    async follow(next) {
      room = next;
      endsAt = monotonicNow() + (next?.away_ends_ms ?? NaN);
      const seen = next ? loadSeen(next.room_id) : 0;
      const log = `${next?.room_id} ${next?.last_seq} ${seen}`;
      if (!next || log === counted) return;
      // What cannot be counted is counted the next time.
      const found = next.last_seq > seen ? await countMessages(next, seen).catch(() => null) : 0;
      if (found === null) return;
      [counted, count] = [log, found];
    },
    render() {
      if (bar.hidden && room) appeared(bar, true);
      setHidden(bar, !room);
      if (!room) return;
      bar.querySelector('img').src = avatarUrl(room.partner?.avatar);
      setText(bar.querySelector('.resume-text'), t('home.resume', { name: room.partner?.nickname ?? '' }));
      setHidden(news, count === 0);
      setText(news, t('home.news', { n: count }));
      renderWait();
    },
  };
}
