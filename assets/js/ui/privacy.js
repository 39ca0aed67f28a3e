// How long a conversation is kept, and the way to the page that says the rest.

import { el } from '../lib/dom.js';
import { duration } from '../lib/i18n.js';

/** How long a conversation is kept after its end, in words: the only place of the scripts that says it. */
export const keptFor = (site) => duration(site.retention_ms);

/** In a tab of its own: what is asked, or talked, here goes on. */
export const privacyLink = (words) => el('a', { href: '/privacy/', target: '_blank', rel: 'noopener', test: 'privacy-link' }, words);
