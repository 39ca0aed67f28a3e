// The card on the home page: one form that shows a profile and reports every
// change. It stores nothing itself.

import { avatarUrl, byTest, el, setAttr, setHidden, setText } from '../lib/dom.js';
import { choose } from '../lib/id.js';
import { language, t, tagList } from '../lib/i18n.js';
import { appeared } from '../lib/press.js';
import { defaultNickname } from '../model/profile.js';
import { cleanNickname } from '../model/text.js';
import { pickAvatar } from './avatar-picker.js';
import { mountSegmented } from './segmented.js';
import { mountTags } from './tags.js';
import { announce } from './toast.js';

export function mountProfileCard(form, { nicknameLimit, keeps, onChange }) {
  let profile = null;
  let kept = false; // something has been chosen here, and `keeps` for the next time
  const avatarButton = byTest('avatar', form);
  const image = avatarButton.querySelector('img');
  const nickname = byTest('nickname', form);
  const error = byTest('gender-error', form);
  const need = form.querySelector('[data-slot="need"]');
  const group = (name) => form.querySelector(`[data-group="${name}"]`);
  const hint = form.querySelector('[data-slot="hint"]');

  function change(part) {
    if (keeps && !kept) announce(t('profile.kept'));
    kept = keeps;
    onChange({ ...profile, ...part });
  }

  const mood = mountSegmented(group('mood'), (value) => change({ mood: value }));
  const gender = mountSegmented(group('gender'), (value) => {
    setHidden(error, true);
    setAttr(group('gender'), 'aria-describedby', null);
    change({ gender: value });
  });
  const wish = mountSegmented(group('wish'), (value) => change({ wish: value }));
  const tags = mountTags(form.querySelector('[data-slot="tags"]'), change);

  const line = byTest('more', form);
  const more = form.querySelector('.profile-more');
  line.addEventListener('click', () => {
    setHidden(more, !more.hidden);
    setAttr(line, 'aria-expanded', !more.hidden);
    if (!more.hidden) more.scrollIntoView({ block: 'nearest' });
  });

  form.addEventListener('submit', (event) => event.preventDefault());
  nickname.maxLength = nicknameLimit * 2;
  nickname.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.isComposing && event.keyCode !== 229) nickname.blur();
  });
  nickname.addEventListener('change', () => {
    const name = cleanNickname(nickname.value, nicknameLimit);
    if (name) change({ nickname: name, named: true });
    else change({ nickname: defaultNickname(profile.avatar, language(), choose), named: false });
  });
  byTest('shuffle', form).addEventListener('click', () => {
    const another = () => defaultNickname(profile.avatar, language(), choose, nicknameLimit);
    // Another one, as the button says: chance may give the same again, and there may be only one.
    const names = Array.from({ length: 9 }, another);
    change({ nickname: names.find((name) => name !== profile.nickname) ?? names[0], named: false });
  });
  avatarButton.addEventListener('click', async () => {
    const avatar = await pickAvatar(profile.avatar);
    if (!avatar || avatar === profile.avatar) return;
    const renamed = profile.named ? {} : { nickname: defaultNickname(avatar, language(), choose, nicknameLimit) };
    change({ avatar, ...renamed });
  });

  return {
    update(next) {
      profile = next;
      const url = avatarUrl(profile.avatar);
      if (image.src !== url) image.src = url;
      setAttr(avatarButton, 'aria-label', t('profile.avatar', { name: t(`avatar.${profile.avatar}`) }));
      if (nickname.value !== profile.nickname) nickname.value = profile.nickname;
      mood.update(profile.mood);
      gender.update(profile.gender);
      setHidden(need, Boolean(profile.gender));
      setText(hint, t(kept ? 'profile.kept' : 'profile.hint'));
      wish.update(profile.wish);
      tags.update(profile);
      showLine(line.querySelector('[data-slot="line"]'), profile);
      if (!error.hidden) setText(error, t('home.gender'));
    },
    /** The one thing Start asks for. */
    askGender() {
      // The rest moves down: what comes under the finger there was not what it pressed.
      if (error.hidden) appeared(form);
      setHidden(error, false);
      setText(error, t('home.gender'));
      setAttr(group('gender'), 'aria-describedby', error.id);
      gender.focus();
      group('gender').scrollIntoView({ block: 'center' });
    },
  };
}

/** Wish, topics and mood in one line, folded: what is chosen is said, and opens in place. */
function showLine(box, { wish, tags, mood }) {
  const parts = [
    [t('line.meet'), t(`wish.${wish}`)],
    ['', tags.length > 0 ? tagList(tags) : t('line.anything')],
    [t('line.mood'), t(`mood.${mood}`)],
  ];
  const shown = JSON.stringify(parts);
  if (box.dataset.shown === shown) return;
  box.dataset.shown = shown;
  const words = parts.map(([what, chosen]) => el('span', { class: 'profile-part' }, what && `${what} `, el('b', {}, chosen)));
  box.replaceChildren(...words.flatMap((word, at) => (at === 0 ? [word] : [' · ', word])));
}
