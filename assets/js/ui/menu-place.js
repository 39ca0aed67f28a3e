// Where a menu stands: on a desktop at the pointer, or beside the element it is about; on a phone it is a
// sheet from below, above which that element is lifted. What it is about stays in view.

import { isMirrored } from '../lib/dom.js';
import { appeared } from '../lib/press.js';

const edge = 8; // between a menu and the window
const gap = 8; // and between it and what it is about
const corner = 18;

const isSheet = () => matchMedia('(max-width: 640px)').matches;

/** Puts a menu in its place. Returns what takes it away again. */
export function placeMenu(menu, veil, at, about) {
  if (!isSheet()) {
    if (getComputedStyle(menu).position !== 'fixed') return () => {};
    placeAt(menu, at, about);
    return about ? keepBeside(menu, at, about) : () => {};
  }
  return about ? keepAbove(menu, veil, about) : () => {};
}

function placeAt(menu, { x, y }, about) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const [right, bottom] = [innerWidth - width - edge, innerHeight - height - edge]; // as far as it can go
  const pointed = { left: Math.max(edge, Math.min(isMirrored() ? x - width : x, right)), top: y > bottom ? Math.max(edge, y - height) : y };
  const { left, top } = about ? beside(shownPart(about), pointed, { width, height, right, bottom }) : pointed;
  menu.style.setProperty('left', `${left}px`);
  menu.style.setProperty('top', `${top}px`);
}

/** Below, above, or at a side; where none of that is free, its beginning stays in view. */
function beside(box, { left, top }, { width, height, right, bottom }) {
  const low = Math.max(edge, Math.min(top, bottom));
  if (box.bottom + gap <= bottom) return { left, top: box.bottom + gap };
  if (box.top - gap - height >= edge) return { left, top: box.top - gap - height };
  if (box.right + gap <= right) return { left: box.right + gap, top: low };
  if (box.left - gap - width >= edge) return { left: box.left - gap - width, top: low };
  return { left, top: Math.max(edge, bottom) };
}

/** A new message moves the one that the menu is about: it goes with it. */
function keepBeside(menu, { x, y }, about) {
  const log = about.closest('.log');
  const begun = about.getBoundingClientRect().top;
  const isAbove = menu.offsetTop < begun;
  let moved = 0;
  function follow() {
    const { top, bottom } = about.getBoundingClientRect();
    const edges = log.getBoundingClientRect();
    const isSeen = about.isConnected && bottom > edges.top && top < edges.bottom;
    if (!isSeen || top - begun === moved) return;
    moved = top - begun;
    placeAt(menu, { x, y: y + moved }, about);
    // Above for as long as there is room: it is not to jump.
    const over = shownPart(about).top - gap - menu.offsetHeight;
    if (isAbove && over >= edge) menu.style.setProperty('top', `${over}px`);
    // Something else is under the pointer now.
    appeared(menu, true);
  }
  const resized = new ResizeObserver(follow);
  for (const node of [log, ...log.children]) resized.observe(node);
  log.addEventListener('scroll', follow, { passive: true });
  return () => {
    resized.disconnect();
    log.removeEventListener('scroll', follow);
  };
}

/** What can be seen of an element in the log. */
function shownPart(about) {
  const box = about.getBoundingClientRect();
  const log = about.closest('.log').getBoundingClientRect();
  return { left: box.left, right: box.right, top: Math.max(box.top, log.top), bottom: Math.min(box.bottom, log.bottom) };
}

/** For as long as the menu is open, whatever the keyboard or a new message does to the log. */
function keepAbove(menu, veil, about) {
  const log = about.closest('.log');
  function move(by, seen) {
    log.style.setProperty('transform', by > 0 ? `translateY(${-by}px)` : 'none');
    veil.style.setProperty('--hole', seen ? hole(seen) : 'none');
  }
  function lift() {
    if (!about.isConnected) return move(0, null);
    const lifted = -new DOMMatrixReadOnly(getComputedStyle(log).transform).m42;
    const { left, right, top, bottom } = shownPart(about);
    const head = log.getBoundingClientRect().top + lifted;
    const by = Math.max(0, Math.min(bottom + lifted + gap - menu.offsetTop, top + lifted - head - gap));
    return move(by, { left, right, top: Math.max(head, top + lifted - by), bottom: bottom + lifted - by });
  }
  const resized = new ResizeObserver(lift);
  for (const node of [log, menu]) resized.observe(node);
  log.addEventListener('scroll', lift, { passive: true });
  lift();
  return () => {
    resized.disconnect();
    log.removeEventListener('scroll', lift);
    log.style.removeProperty('transform');
  };
}

/** All of the window but this box: nothing dims it. */
function hole({ left, right, top, bottom }) {
  const arc = (x, y) => `A${corner} ${corner} 0 0 1 ${x} ${y}`;
  const box = `M${left + corner} ${top}H${right - corner}${arc(right, top + corner)}V${bottom - corner}${arc(right - corner, bottom)}H${left + corner}${arc(left, bottom - corner)}V${top + corner}${arc(left + corner, top)}Z`;
  return `path(evenodd, "M0 0H${innerWidth}V${innerHeight}H0Z${box}")`;
}
