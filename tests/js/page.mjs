// As much of a page as ui/bubble.js and ui/log.js need, for tests without a
// browser. Notes every change that a live region would announce.

export const announced = [];

class FakeNode {
  parentNode = null;
  childNodes = [];
  get textContent() {
    return this.childNodes.map((child) => child.textContent).join('');
  }
  set textContent(value) {
    this.replaceChildren(value);
  }
  get children() {
    return this.childNodes.filter((child) => child instanceof FakeElement);
  }
  get isConnected() {
    return this.parentNode !== null;
  }
  get firstChild() {
    return this.childNodes[0] ?? null;
  }
  get nextSibling() {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }
  contains(node) {
    return node === this || this.childNodes.some((child) => child.contains(node));
  }
  remove() {
    const all = this.parentNode?.childNodes;
    all?.splice(all.indexOf(this), 1);
    this.parentNode = null;
  }
  append(...nodes) {
    for (const node of nodes) this.insertBefore(node, null);
  }
  prepend(...nodes) {
    for (const node of nodes.reverse()) this.insertBefore(node, this.firstChild);
  }
  replaceChildren(...nodes) {
    for (const child of [...this.childNodes]) child.remove();
    this.append(...nodes);
  }
  insertBefore(given, before) {
    const node = typeof given === 'string' ? new FakeText(given) : given;
    if (node.isFragment) {
      for (const child of [...node.childNodes]) this.insertBefore(child, before);
      return;
    }
    node.remove();
    node.parentNode = this;
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, node);
    if (isLive(this) && isHeard(node)) announced.push(node.textContent);
  }
}

class FakeText extends FakeNode {
  constructor(text) {
    super();
    this.text = text;
  }
  get textContent() {
    return this.text;
  }
}

export class FakeElement extends FakeNode {
  attributes = new Map();
  dataset = {};
  listeners = 0;
  constructor(name) {
    super();
    this.name = name;
  }
  get className() {
    return this.getAttribute('class') ?? '';
  }
  set className(value) {
    this.setAttribute('class', value);
  }
  get classList() {
    const names = () => this.className.split(' ').filter(Boolean);
    const set = (list) => this.setAttribute('class', list.join(' '));
    return {
      contains: (name) => names().includes(name),
      add: (name) => set([...new Set([...names(), name])]),
      remove: (name) => set(names().filter((other) => other !== name)),
      toggle: (name, on) => set(on ? [...new Set([...names(), name])] : names().filter((other) => other !== name)),
    };
  }
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }
  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name.startsWith('data-')) this.dataset[name.slice(5)] = String(value);
  }
  removeAttribute(name) {
    this.attributes.delete(name);
  }
  addEventListener() {
    this.listeners += 1;
  }
  scrollTo() {}
  scrollIntoView() {}
  focus() {
    document.activeElement = this;
  }
  getBoundingClientRect() {
    return { top: 0, bottom: 1 };
  }
  /** Knows `.class`, `.class:last-of-type` and `[data-x="y"]`. */
  querySelector(selector) {
    const all = this.querySelectorAll(selector);
    return (selector.endsWith(':last-of-type') ? all.at(-1) : all[0]) ?? null;
  }
  querySelectorAll(selector) {
    return this.descendants().filter((node) => node instanceof FakeElement && fits(node, selector));
  }
  descendants() {
    return this.childNodes.flatMap((child) => [child, ...(child instanceof FakeElement ? child.descendants() : [])]);
  }
}

function fits(node, selector) {
  const data = selector.match(/^\[data-([\w-]+)="(.*)"\]$/);
  if (data) return String(node.dataset[data[1]]) === data[2];
  return node.classList.contains(selector.replace(/^\.|:last-of-type$/g, ''));
}

/** The nearest word on liveness counts, and nothing hidden is announced. */
function isLive(node) {
  for (let at = node; at; at = at.parentNode) {
    if (!isHeard(at)) return false;
    const live = at.getAttribute?.('aria-live');
    if (live) return live !== 'off';
  }
  return false;
}

function isHeard(node) {
  return node.getAttribute?.('aria-hidden') !== 'true' && node.getAttribute?.('aria-live') !== 'off' && node.textContent.trim() !== '';
}

export function installPage() {
  globalThis.document = {
    hidden: false,
    activeElement: null,
    createElement: (name) => new FakeElement(name),
    createElementNS: (_, name) => new FakeElement(name),
    createDocumentFragment: () => Object.assign(new FakeElement('#fragment'), { isFragment: true }),
  };
  globalThis.ResizeObserver = class {
    observe() {}
  };
  globalThis.requestAnimationFrame = () => {};
  globalThis.matchMedia = () => ({ matches: true });
}

/** The parts of the page that `mountLog` looks for. */
export function logPage() {
  const make = (attributes, ...children) => {
    const node = new FakeElement('div');
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const rows = make({ 'data-slot': 'rows' });
  const parts = [make({ 'data-slot': 'log-head' }), make({ 'data-testid': 'earlier' }), rows, make({ 'data-testid': 'typing' })];
  return { main: make({}, make({ 'data-testid': 'log' }, ...parts), make({ 'data-testid': 'latest' })), rows };
}
