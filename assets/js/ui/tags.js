// The topic chips: toggles of what the site offers and words of one's own, three at
// most. Choosing one moves no other.

import { el, icon } from '../lib/dom.js';
import { t, tagLabel } from '../lib/i18n.js';
import { offeredTags } from '../lib/topics.js';
import { addOwnTag, maxTags, removeOwnTag, toggleTag } from '../model/profile.js';
import { announce, toast } from './toast.js';

export function mountTags(row, onChange) {
  let profile = null;
  let writing = false;

  function chip(tag, own) {
    const on = profile.tags.includes(tag);
    return el(
      'button',
      {
        type: 'button',
        class: 'chip',
        test: own && profile.ownTags.includes(tag) ? `tag-own-${profile.ownTags.indexOf(tag)}` : `tag-${tag}`,
        'data-key': tag,
        'aria-pressed': String(on),
        onclick: () => press(tag, own && on),
      },
      el('bdi', {}, tagLabel(tag)),
      on && icon('check'),
    );
  }

  function press(tag, remove) {
    const next = remove ? removeOwnTag(profile, tag) : toggleTag(profile, tag);
    if (next === profile) full();
    else commit(next, tag);
  }

  function full() {
    toast(t('profile.tagsFull'));
  }

  function commit(next, focusKey) {
    onChange(next);
    const target = row.querySelector(`[data-key="${CSS.escape(focusKey)}"]`) ?? row.querySelector('[data-key="+"]');
    target?.focus({ preventScroll: true });
  }

  function writer() {
    const input = el('input', {
      type: 'text',
      class: 'chip-input',
      test: 'tag-input',
      maxlength: 20,
      dir: 'auto',
      enterkeyhint: 'done',
      autocomplete: 'off',
      'aria-label': t('profile.ownTagLabel'),
      placeholder: t('profile.ownTag'),
    });
    const finish = (keepFocus) => {
      if (!writing) return;
      writing = false;
      const before = profile;
      const next = addOwnTag(profile, input.value);
      if (next === before) update(profile);
      else onChange(next);
      if (next !== before) announce(tagLabel(next.tags[next.tags.length - 1]));
      if (keepFocus) row.querySelector('[data-key="+"]')?.focus({ preventScroll: true });
    };
    input.addEventListener('keydown', (event) => {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === 'Enter') {
        event.preventDefault();
        finish(true);
      } else if (event.key === 'Escape') {
        input.value = '';
        finish(true);
      }
    });
    input.addEventListener('blur', () => finish(false));
    return input;
  }

  function adder() {
    return el(
      'button',
      { type: 'button', class: 'chip chip-add', test: 'tag-own', 'data-key': '+', onclick: open },
      icon('plus'),
      t('profile.ownTag'),
    );
  }

  function open() {
    if (profile.tags.length >= maxTags) {
      full();
      return;
    }
    writing = true;
    update(profile);
    row.querySelector('input').focus();
  }

  function update(next) {
    profile = next;
    const offered = offeredTags();
    // Chosen when the site offered it: it can still be taken off.
    const former = profile.tags.filter((tag) => !offered.includes(tag) && !profile.ownTags.includes(tag));
    row.replaceChildren(
      ...offered.map((tag) => chip(tag, false)),
      ...[...profile.ownTags, ...former].map((tag) => chip(tag, true)),
      writing ? writer() : adder(),
    );
  }

  return { update };
}
