// What is kept about people: a text that the server writes, in one language. To read
// it in another the page is asked for again.

import { onLanguage } from '../lib/i18n.js';
import { startWorker } from '../lib/worker.js';
import { mountAppbar } from '../ui/appbar.js';

const asked = 'in'; // what the address says has been asked for: once, should the server not know the choice

mountAppbar();
onLanguage((tag) => {
  const { lang } = document.querySelector('[data-slot="privacy"]');
  if (lang !== tag && new URLSearchParams(location.search).get(asked) !== tag) location.replace(`?${asked}=${encodeURIComponent(tag)}`);
});
startWorker();
