// The meeting: fog parts, the amber light comes into focus as the partner's
// face of light, and travels to the header. 600 ms; a cross-fade without motion.

import { avatarUrl, el, reducedMotion } from '../lib/dom.js';

const travelTime = 600;
const ease = 'cubic-bezier(.2,.8,.2,1)';

/** Call while the scene is still visible; `showRoom` swaps the two sections. */
export async function playMatchAnimation({ scene, room, target, avatar, showRoom }) {
  const lamp = scene.querySelector('.lamp-theirs').getBoundingClientRect();
  const still = reducedMotion() || document.hidden || lamp.width === 0;
  showRoom();
  if (still) {
    if (!document.hidden) room.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 200 });
    return;
  }
  partFog(scene);
  const end = target.getBoundingClientRect();
  const traveller = el('img', { class: 'traveller', src: avatarUrl(avatar), alt: '', width: 40, height: 40 });
  traveller.style.setProperty('left', `${end.left}px`);
  traveller.style.setProperty('top', `${end.top}px`);
  document.body.append(traveller);
  target.style.setProperty('visibility', 'hidden');
  const dx = lamp.left + lamp.width / 2 - (end.left + end.width / 2);
  const dy = lamp.top + lamp.height / 2 - (end.top + end.height / 2);
  const far = `translate(${dx}px, ${dy}px)`;
  room.animate([{ opacity: 0 }, { opacity: 1 }], { duration: travelTime, easing: ease });
  const travel = traveller.animate(
    [
      { transform: `${far} scale(3)`, filter: 'blur(14px)', opacity: 0.2 },
      { transform: `${far} scale(2.4)`, filter: 'blur(0)', opacity: 1, offset: 0.4 },
      { transform: 'none', filter: 'blur(0)', opacity: 1 },
    ],
    { duration: travelTime, easing: ease },
  );
  await travel.finished.catch(() => {});
  target.style.removeProperty('visibility');
  traveller.remove();
}

/** The fog goes left and right over the room that is already there. */
function partFog(scene) {
  scene.hidden = false;
  scene.inert = true;
  scene.classList.add('is-parting');
  const away = (sign) => [{ transform: 'none' }, { transform: `translateX(${sign * 60}%)`, opacity: 0 }];
  scene.querySelectorAll('.bank').forEach((bank, index) => bank.animate(away(index % 2 ? -1 : 1), { duration: travelTime, easing: ease, fill: 'forwards' }));
  const fade = scene.animate([{ opacity: 1 }, { opacity: 0 }], { duration: travelTime, easing: 'ease-in' });
  fade.finished.catch(() => {}).then(() => endMatchAnimation(scene, true));
}

/** Puts the scene back as it was; it may be needed again at once. */
export function endMatchAnimation(scene, hide) {
  if (!scene.classList.contains('is-parting')) return;
  scene.classList.remove('is-parting');
  scene.inert = false;
  scene.hidden = hide;
  for (const animation of scene.getAnimations({ subtree: true })) if (!(animation instanceof CSSAnimation)) animation.cancel();
}
