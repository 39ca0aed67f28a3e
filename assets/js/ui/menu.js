// A small menu: beside the pointer on a desktop, a sheet from below on a phone.
// Items are { test, icon, label, note?, danger?, apart?, checked?, onPress }. An item whose
// onPress returns true keeps the menu open and is asked for its label again.
// Above them there may be a row of choices: { label, options: [{ test, sign,
// label, pressed, onPress }] }, to which arrow up leads from the first item.
// `about` is the element in the log it is about, which it does not cover.

import { el, icon, isMirrored, setText } from '../lib/dom.js';
import { appeared } from '../lib/press.js';
import { placeMenu } from './menu-place.js';

let closeOpen = null;

export function openMenu({ label, items, at, choices = null, anchor = null, about = null, className = '' }) {
  closeOpen?.();
  const back = document.activeElement;
  const nodes = items().map(makeItem);
  const list = el('div', { role: 'menu', 'aria-label': label }, ...nodes.map((item) => item.node));
  const row = choices?.options.map(makeChoice) ?? [];
  const menu = el('div', { class: `menu ${className}`, test: className || null }, row.length > 0 && el('div', { class: 'menu-choices', role: 'group', 'aria-label': choices.label }, ...row), list);
  const veil = el('div', { class: 'menu-veil' });
  (document.querySelector('.room-main') ?? document.body).append(veil, menu);
  appeared(veil);
  appeared(menu);
  anchor?.setAttribute('aria-expanded', 'true');
  const putBack = placeMenu(menu, veil, at, about);
  nodes[0]?.node.focus({ preventScroll: true });

  function makeChoice({ test, sign, label: name, pressed, onPress }) {
    const node = el('button', { type: 'button', class: 'menu-choice', 'aria-label': name, title: name, 'aria-pressed': String(pressed), test, tabindex: '-1', translate: 'no' }, sign);
    node.addEventListener('click', () => {
      close(true);
      onPress();
    });
    return node;
  }

  function makeItem(item) {
    const text = el('span', {}, item.label);
    const value = el('span', { class: 'menu-value' }, item.value ?? '');
    const checkable = item.checked !== undefined;
    const node = el(
      'button',
      { type: 'button', class: `menu-item${item.danger ? ' is-danger' : ''}${item.apart ? ' is-apart' : ''}`, role: checkable ? 'menuitemcheckbox' : 'menuitem', 'aria-checked': checkable ? String(item.checked) : null, test: item.test, tabindex: '-1' },
      icon(item.icon),
      el('span', { class: 'menu-text' }, text, item.note && el('span', { class: 'menu-note' }, item.note)),
      value,
    );
    node.addEventListener('click', () => press(item, node));
    return { node, text, value };
  }

  function press(item, node) {
    if (item.onPress() !== true) {
      close(true);
      item.afterClose?.();
      return;
    }
    refresh();
    // It may mean something else now.
    appeared(node);
    node.focus();
  }

  function refresh() {
    items().forEach((fresh, index) => {
      setText(nodes[index].text, fresh.label);
      setText(nodes[index].value, fresh.value ?? '');
      if (fresh.checked !== undefined) nodes[index].node.setAttribute('aria-checked', String(fresh.checked));
    });
  }

  function close(refocus) {
    if (closeOpen !== close) return;
    closeOpen = null;
    document.removeEventListener('keydown', onKey, true);
    putBack();
    menu.remove();
    veil.remove();
    anchor?.setAttribute('aria-expanded', 'false');
    if (refocus) back?.focus?.({ preventScroll: true });
  }

  /** Where a key leads: through the items, the row of choices being one of them; and along that row. */
  function goal(key) {
    const along = row.indexOf(document.activeElement);
    const [off, on] = isMirrored() ? ['ArrowRight', 'ArrowLeft'] : ['ArrowLeft', 'ArrowRight'];
    if (along >= 0 && (key === off || key === on)) return row[(along + (key === on ? 1 : -1) + row.length) % row.length];
    const entry = row.find((node) => node.getAttribute('aria-pressed') === 'true') ?? row[0];
    const order = [...(entry ? [entry] : []), ...nodes.map((item) => item.node)];
    const here = along >= 0 ? 0 : order.indexOf(document.activeElement);
    const goes = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: order.length - 1 }[key];
    return goes === undefined ? null : order[(goes + order.length) % order.length];
  }

  function onKey(event) {
    const to = goal(event.key);
    if (to) {
      event.preventDefault();
      to.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      event.stopPropagation();
      close(true);
    }
  }

  closeOpen = close;
  document.addEventListener('keydown', onKey, true);
  veil.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    close(true);
  });
  return { close: () => close(true), refresh };
}
