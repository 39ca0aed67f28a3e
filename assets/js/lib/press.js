// Presses that were not meant: the second of a double press on what its first
// has put there, a press on what came up by itself at that moment, a key that is
// held down. And steps that are taken once, however often they are asked for.

import { monotonicNow } from './time.js';

const settling = 400;
const sameSpot = 30;
const clickAfter = 1000; // a finger is lifted by then

const appearedAt = new WeakMap(); // node -> { at, unasked }
let last = null; // where the last meant press was
let refusedAt = -Infinity; // when a press was not meant whose click may still come

/**
 * Notes that `node` has come up, or means something else from now on. For a
 * moment it is not pressed by the finger that is there already; what came up
 * `unasked` is pressed by none.
 */
export function appeared(node, unasked = false) {
  const entry = { at: monotonicNow(), unasked };
  appearedAt.set(node, entry);
  node.dataset.settling = '';
  setTimeout(() => appearedAt.get(node) === entry && delete node.dataset.settling, settling);
}

/** Whether a press was meant for what came up there (null: nothing did); `before` is the press before it. */
export function isMeant(press, came, before) {
  if (!came || press.at - came.at >= settling) return true;
  if (came.unasked) return false;
  return before === null || Math.hypot(press.x - before.x, press.y - before.y) > sameSpot;
}

/** The last thing to come up of a node and what it is in. */
function latest(node) {
  let found = null;
  for (let at = node; at; at = at.parentElement) {
    const came = appearedAt.get(at);
    if (came && (found === null || came.at > found.at)) found = came;
  }
  return found;
}

function onDown(event) {
  const press = { at: event.timeStamp, x: event.clientX, y: event.clientY };
  const meant = isMeant(press, latest(event.target), last);
  refusedAt = meant ? -Infinity : press.at;
  if (meant) last = press;
  else swallow(event);
}

function onClick(event) {
  const refused = event.detail === 0 ? isHastyKey(event) : event.timeStamp - refusedAt < clickAfter;
  refusedAt = -Infinity;
  if (refused) swallow(event);
}

/** A click without a pointer is a key: it is where the focus is, so only a change of meaning counts. */
function isHastyKey(event) {
  const came = event.isTrusted ? appearedAt.get(event.target.closest?.('button, a')) : null;
  return Boolean(came) && event.timeStamp - came.at < settling;
}

function onKey(event) {
  if (event.repeat && ['Enter', ' '].includes(event.key) && event.target.closest?.('button, a')) swallow(event);
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Begins to look at every press of the page, before anything else does. */
export function guardPresses() {
  document.addEventListener('pointerdown', onDown, true);
  document.addEventListener('click', onClick, true);
  document.addEventListener('keydown', onKey, true);
}

/** A step that is not begun again while it is under way. */
export function oneAtATime(step) {
  let underway = false;
  return async (...values) => {
    if (underway) return undefined;
    underway = true;
    try {
      return await step(...values);
    } finally {
      underway = false;
    }
  };
}

/** A continuation: whatever leads to it, and however often, it follows once. */
export function once(follow) {
  let done = false;
  return (...values) => {
    if (done) return undefined;
    done = true;
    return follow(...values);
  };
}
