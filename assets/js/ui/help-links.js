// Where a person who may hurt themselves finds someone to talk to, as links.

import { el } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { helpLines } from '../model/report.js';

/** A number that is dialled stays on one line, whatever hyphens are in it. @param {string} label */
const unbroken = (label) => label.split(/(\d[\d-]*\d)/).map((part, at) => (at % 2 === 0 ? part : el('span', { class: 'unbroken' }, part)));

/** One item of a list for each line of help. */
export const helpLinks = () => helpLines(t('report.helpLines')).map(({ label, href }) => el('li', {}, el('a', { href, target: href.startsWith('https:') ? '_blank' : null, rel: 'noopener noreferrer' }, el('span', {}, ...unbroken(label)))));
