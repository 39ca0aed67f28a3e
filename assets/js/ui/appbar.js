// The bar on top of every page: mark, guide, language, theme. Also puts icons
// and the mark into the page's static HTML and keeps its texts in the language
// that is chosen; they come from the server in the one that was asked for.

import { byTest, el, fillIcons, icon, mark } from '../lib/dom.js';
import { onLanguage, t, translate } from '../lib/i18n.js';
import { guardPresses } from '../lib/press.js';
import { paintBrowserBar, setTheme, theme, themes } from '../lib/settings.js';
import { mountLanguage } from './language.js';

const siteName = () => document.querySelector('.wordmark-name')?.textContent ?? '';

/** 秘語 Miyu: the two scripts need different spacing, so each gets its own. */
function paintName(node) {
  const parts = node.textContent.match(/^([\p{Script=Han}]+)\s+(.+)$/u);
  if (parts) node.replaceChildren(`${parts[1]} `, el('span', { class: 'wordmark-latin', lang: 'en' }, parts[2]));
}

export function mountAppbar({ onGuide } = {}) {
  guardPresses();
  mountLanguage();
  paintBrowserBar();
  for (const link of document.querySelectorAll('[data-mark]')) link.prepend(mark());
  document.querySelectorAll('.wordmark-name').forEach(paintName);
  fillIcons(document);
  const switches = document.querySelectorAll('[data-switch="theme"]');
  const paint = () => {
    translate(document, { site: siteName() });
    switches.forEach(paintTheme);
  };
  for (const button of switches) {
    button.addEventListener('click', () => {
      setTheme(themes[(themes.indexOf(theme()) + 1) % themes.length]);
      // Only these: what a page says of its state by now is not what its HTML says.
      switches.forEach(paintTheme);
    });
  }
  byTest('guide')?.addEventListener('click', () => onGuide?.());
  onLanguage(paint);
  paint();
}

function paintTheme(button) {
  const mode = theme();
  button.replaceChildren(icon(mode));
  const label = t('app.theme', { mode: t(`theme.${mode}`) });
  button.setAttribute('aria-label', label);
  button.title = label;
}
