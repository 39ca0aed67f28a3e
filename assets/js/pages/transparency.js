// How reports are looked at here, in numbers.

import { byTest, el, setHidden, setText } from '../lib/dom.js';
import { duration, language, onLanguage, t } from '../lib/i18n.js';
import { monthText } from '../lib/time.js';
import { startWorker } from '../lib/worker.js';
import { linesOf, stateOf } from '../model/figures.js';
import { getFigures } from '../net/http.js';
import { mountAppbar } from '../ui/appbar.js';

/** @type {import('../model/figures.js').Figures | null} */
let figures = null;
let failed = false;

/** @param {import('../model/figures.js').Line} line */
const lineOf = ({ key, count, ms }) => [el('dt', {}, t(key)), el('dd', {}, ms === undefined ? String(count) : duration(ms))];

/** @param {import('../model/figures.js').Month} month */
const monthOf = (month) => el('section', {}, el('h2', {}, monthText(month.month, language())), el('dl', { class: 'figures-month' }, ...linesOf(month).flatMap(lineOf)));

function render() {
  const state = failed ? 'figures.failed' : figures && stateOf(figures);
  const isTaken = figures?.reports_taken === true;
  setHidden(byTest('figures-lead'), !isTaken);
  setHidden(byTest('figures-note'), !isTaken && !figures?.months.length);
  setText(byTest('figures-state'), state ? t(state) : '');
  byTest('figures').replaceChildren(...(figures?.months ?? []).map(monthOf));
}

mountAppbar();
onLanguage(render);
startWorker();
getFigures().then(
  (told) => { figures = told; },
  () => { failed = true; },
).then(render);
