// Small helpers to make and change elements. Text only ever arrives through
// textContent: there is no way in here to turn a string into markup.

/** @typedef {Node | string | null | undefined | false} Child what is not a node or a text is left out */

// The text that an element was last given.
/** @type {WeakMap<Element, string>} */
const written = new WeakMap();

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {Record<string, any>} attributes @param {Child[]} children
 */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  const parts = children.flatMap((child) => (child === null || child === undefined || child === false ? [] : [child]));
  node.append(...parts);
  if (parts.length === 1 && typeof parts[0] === 'string') written.set(node, parts[0]);
  return node;
}

/** @param {HTMLElement} node @param {string} key @param {any} value */
function setAttribute(node, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === 'class') node.className = value;
  else if (key === 'test') node.dataset.testid = value;
  else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
  else if (value === true) node.setAttribute(key, '');
  else node.setAttribute(key, value);
}

/**
 * The element of that test id, which is there: pages and components bring it with them.
 * @param {string} id @param {ParentNode} root
 */
export const byTest = (id, root = document) => /** @type {HTMLElement} */ (root.querySelector(`[data-testid="${id}"]`));

/**
 * Sets text only when it is another than before, so that live regions stay quiet.
 * What stands there now may be a translator's words: they stay until ours change.
 * @param {Element} node @param {string} text
 */
export function setText(node, text) {
  const before = written.get(node) ?? node.textContent;
  written.set(node, text);
  if (before !== text) node.textContent = text;
}

/**
 * Sets a sentence in which something counts: only that is written again and again,
 * and a translator is asked to leave it alone. `around` is what stands on both sides.
 * @param {Element} node @param {string[]} around @param {string} count
 */
export function setCounting(node, [before, after], count) {
  const sentence = `${before}\u0000${after}`;
  const counter = written.get(node) === sentence ? node.querySelector('.numbers') : null;
  if (counter) {
    setText(counter, count);
    return;
  }
  written.set(node, sentence);
  node.replaceChildren(el('span', {}, before, el('span', { class: 'numbers', translate: 'no' }, count), after));
}

/** @param {HTMLElement} node @param {boolean} hidden */
export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** @param {Element} node @param {string} name @param {unknown} value */
export function setAttr(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

const svgNamespace = 'http://www.w3.org/2000/svg';

// Two shapes: the second one is filled.
/** @type {Record<string, string | string[]>} */
const shapes = {
  back: 'M15 5l-7 7 7 7',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  send: 'M12 19V5M6 11l6-6 6 6',
  close: 'M6 6l12 12M18 6L6 18',
  right: 'M9 5l7 7-7 7',
  plus: 'M12 5v14M5 12h14',
  reply: 'M9 7l-5 5 5 5M4 12h10a6 6 0 0 1 6 6',
  up: 'M12 19V6M6.5 11L12 5.5l5.5 5.5',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  mark: 'M9 4h6M9 20h6M12 4v16M4 8h3M4 16h3M17 8h3M17 16h3',
  recall: 'M4 4v6h6M4.5 10a8 8 0 1 1-.5 4',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  block: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M5.8 5.8l12.4 12.4',
  flag: 'M6 21V4h12l-3 4 3 4H6',
  sound: 'M4 10v4h4l5 4V6L8 10zM17 9a4 4 0 0 1 0 6',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10.5 21h3',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  help: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9.4 9.6a2.6 2.6 0 1 1 3.7 2.3c-.8.4-1.1.9-1.1 1.7M12 16.7v.01',
  save: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  leave: 'M14 4H6v16h8M11 12h9M16.5 8.5L20 12l-3.5 3.5',
  next: 'M5 6l7 6-7 6M13 6l7 6-7 6',
  auto: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18', 'M12 3a9 9 0 0 1 0 18z'],
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19',
  dark: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10',
  again: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9M20 4v5h-5',
};

// They point along the line: to its beginning, or to its end.
const directed = new Set(['back', 'right', 'reply', 'leave', 'next']);

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(svgNamespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', directed.has(name) ? 'icon is-directed' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const [line, solid] = [shapes[name]].flat();
  svg.append(pathOf(line, 'icon-line'));
  if (solid) svg.append(pathOf(solid, 'icon-solid'));
  return svg;
}

/** @param {string} d @param {string} className */
function pathOf(d, className) {
  const path = document.createElementNS(svgNamespace, 'path');
  path.setAttribute('class', className);
  path.setAttribute('d', d);
  return path;
}

/**
 * Puts the icon an element asks for (data-icon) in front of its content.
 * @param {ParentNode} root
 */
export function fillIcons(root) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-icon]'))) {
    if (!node.querySelector('svg.icon')) node.prepend(icon(node.dataset.icon ?? ''));
  }
}

/** Our mark: my ring, their disc, and what they share. */
export function mark(className = 'mark') {
  const svg = document.createElementNS(svgNamespace, 'svg');
  svg.setAttribute('viewBox', '0 0 34 24');
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  const parts = [
    ['mark-theirs', 'M23 3.2a8.8 8.8 0 1 1 0 17.6a8.8 8.8 0 0 1 0-17.6z'],
    ['mark-lens', 'M17 5.56a8.8 8.8 0 0 1 0 12.88a8.8 8.8 0 0 1 0-12.88z'],
    ['mark-mine', 'M11 4.4a7.6 7.6 0 1 1 0 15.2a7.6 7.6 0 0 1 0-15.2z'],
  ];
  for (const [name, d] of parts) svg.append(pathOf(d, name));
  return svg;
}

/** @param {unknown} number */
export function avatarUrl(number) {
  const safe = Math.min(20, Math.max(1, Number.parseInt(String(number), 10) || 1));
  return new URL(`../../images/avatars/${safe}.svg`, import.meta.url).href;
}

/** Whether lines begin at the right. */
export const isMirrored = () => document.documentElement.dir === 'rtl';

/**
 * Where a line begins at a box, or so far into it.
 * @param {DOMRect} box
 */
export const startOf = ({ left, right }, inwards = 0) => (isMirrored() ? right - inwards : left + inwards);

/**
 * Where a line ends at a box, or so far into it.
 * @param {DOMRect} box
 */
export const endOf = ({ left, right }, inwards = 0) => (isMirrored() ? left + inwards : right - inwards);

export const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
