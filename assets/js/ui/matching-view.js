// The waiting scene: what we look for, how long, what is relaxed, one thing at a
// time, and after a while the rows of what one could do instead. Shows, and reports presses.

import { avatarUrl, byTest, el, icon, setCounting, setHidden, setText } from '../lib/dom.js';
import { around, t } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';
import { sound } from '../lib/settings.js';
import { minutesSeconds } from '../lib/time.js';
import { toggleSound } from './alerts.js';
import { addressOf, canShare, handOn, openCodeSheet } from './hand-on.js';
import { announce } from './toast.js';

export function mountMatchingView(section, { onCancel, onWiden, onAgain, onRoom }) {
  const slot = (name) => section.querySelector(`[data-slot="${name}"]`);
  const title = byTest('match-title', section);
  const again = byTest('match-again', section);
  const cancel = byTest('cancel', section);
  let shownOptions = '';
  let saidPhase = '';
  const hear = byTest('match-sound', section);
  hear.addEventListener('click', () => {
    toggleSound();
    paintSound();
  });
  cancel.addEventListener('click', () => onCancel());
  again.addEventListener('click', () => onAgain());

  const builders = {
    widen: (view) => row('option-widen', t('match.widen'), t('match.widenWhy', { wish: t(`wish.${view.profile.wish}`) }), onWiden),
    second: () => secondRow(),
    scan: (view) => codeRow(view.site),
    share: (view) => row('option-share', t(canShare() ? 'match.share' : 'match.invite'), addressOf(view.site), (event) => handOn(event.currentTarget, view.site)),
    room: (view) => linkRow('option-room', t('match.inRoomGo'), '', '/chat/', { onclick: () => onRoom(view.roomId) }),
  };

  function updateOptions(view) {
    const wanted = `${view.options.join()}|${view.profile.wish}|${view.roomId}|${view.site.address}|${t('match.widen')}`;
    if (wanted === shownOptions) return;
    shownOptions = wanted;
    slot('options').replaceChildren(...view.options.map((name) => builders[name](view)));
    // They come by themselves, and move what stands below.
    for (const part of [slot('options'), cancel.parentElement]) appeared(part, true);
  }

  function updateLine({ line: [key, values], phase }) {
    const line = slot('line');
    if ('s' in values) setCounting(line, around(key, 's', values), String(values.s));
    else setText(line, t(key, values));
    // The counting seconds are not read aloud; a new situation is, once.
    if (phase === saidPhase) return;
    saidPhase = phase;
    announce(t(key, values));
  }

  function updateMe({ profile, guest }) {
    const box = slot('me');
    const text = t(guest ? 'match.guest' : 'match.me', { name: profile.nickname });
    const url = avatarUrl(profile.avatar);
    if (box.dataset.shown === text + url) return;
    box.dataset.shown = text + url;
    box.replaceChildren(el('img', { src: url, alt: t(`avatar.${profile.avatar}`), width: 28, height: 28, class: 'avatar' }), el('span', {}, text));
  }

  function paintSound() {
    setText(hear.querySelector('span'), t('match.sound', { state: t(sound.get() ? 'menu.on' : 'menu.off') }));
    hear.classList.toggle('is-on', sound.get());
  }

  return {
    update(view) {
      paintSound();
      setText(title, t(view.title));
      section.classList.toggle('is-paused', view.paused);
      setText(slot('looking'), view.looking);
      setCounting(slot('waited'), around('match.waited', 't'), minutesSeconds(view.waited));
      updateLine(view);
      updateOptions(view);
      updateMe(view);
      setHidden(again, !view.canRetry);
      again.disabled = view.retryIn > 0;
      if (view.retryIn > 0) setCounting(again, around('err.rate', 's'), String(Math.ceil(view.retryIn / 1000)));
      else setText(again, t(view.retry));
    },
  };
}

function rowParts(title, why) {
  return [
    el('span', { class: 'option-title' }, title),
    why && el('span', { class: 'option-why' }, why),
    icon('right'),
  ];
}

function row(test, title, why, onPress) {
  return el('button', { type: 'button', class: 'option-row', test, onclick: onPress }, ...rowParts(title, why));
}

function linkRow(test, title, why, href, extra = {}) {
  return el('a', { class: 'option-row', test, href, ...extra }, ...rowParts(title, why));
}

/** The code itself, small: a press shows it as large as the screen allows. */
function codeRow(site) {
  const code = el('img', { class: 'option-code', src: '/invitation.svg', alt: '', width: 72, height: 72 });
  const button = row('option-scan', t('match.scan'), site.address, () => openCodeSheet(site));
  button.classList.add('has-code');
  button.prepend(code);
  return button;
}

/** Not on a phone. */
const hasWindows = () => !matchMedia('(pointer: coarse)').matches;

/** A link, so that it works everywhere; where windows exist, a window beside. */
function secondRow() {
  const link = linkRow('option-second', t(hasWindows() ? 'match.second' : 'match.secondTab'), t('match.secondWhy'), '/?guest=1', { target: '_blank', rel: 'noopener' });
  link.addEventListener('click', (event) => {
    // One window for a double press, too.
    appeared(link);
    if (!hasWindows() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const left = Math.max(0, screen.availWidth - 480);
    // noopener: the new window must not copy this tab's sessionStorage.
    window.open(link.href, '_blank', `noopener,popup,width=440,height=${Math.min(860, screen.availHeight)},left=${left},top=0`);
  });
  return link;
}
