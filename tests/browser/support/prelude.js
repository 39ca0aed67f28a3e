// Put before every script the tests run in a page.
const args = [...arguments];
const byTest = (id) => document.querySelector(`[data-testid="${id}"]`);
const visible = (node) => Boolean(node && node.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
const shown = (id) => visible(byTest(id));
const messages = () => [...document.querySelectorAll('[data-testid="message"]')];
const words = (message) => message.querySelector('.bubble-text')?.textContent ?? null;
const message = (text) => messages().find((item) => words(item) === text) ?? null;
const focusedTest = () => document.activeElement?.dataset?.testid ?? null;
