// The language of a page: its words stand in the page, and those of another are
// fetched when a person chooses it. The choice is kept here, and told to the
// server by a cookie, so that the next page comes in it from the start.

import { addWords, hasWords, language, setLanguage, t } from '../lib/i18n.js';
import { addStarters } from '../lib/starters.js';
import { local } from '../lib/storage.js';
import { toast } from './toast.js';

const cookie = 'miyu_language';
const year = 31_536_000;
// What each kind of text that a page brings with it is given to.
const kinds = { words: addWords, starters: addStarters, console: addWords };

let wanted = ''; // the latest choice; one made before it may arrive after it

const brought = () => document.querySelectorAll('script[data-texts]');
const choices = () => document.querySelectorAll('[data-switch="lang"]');

/** Begins in the language that the server wrote, and goes on in the chosen one should that be another. */
export function mountLanguage() {
  const root = document.documentElement;
  for (const script of brought()) kinds[script.dataset.texts](root.lang, JSON.parse(script.textContent));
  use(root.lang);
  for (const choice of choices()) choice.addEventListener('change', ({ target: { value } }) => choose(value).catch(() => stay(value)));
  const chosen = local.get('lang');
  if (typeof chosen !== 'string' || !offers(chosen)) return;
  // Browsers let go of a cookie that a page has set before they let go of the rest.
  tellServer(chosen, year);
  if (chosen !== root.lang) choose(chosen).catch(() => {});
}

/** The choice is forgotten with all else that was kept here. */
export const forgetLanguage = () => tellServer('', 0);

const offers = (tag) => [...choices()].some((choice) => [...choice.options].some(({ value }) => value === tag));

async function choose(next) {
  wanted = next;
  if (!hasWords(next)) await fetchTexts(next);
  if (wanted !== next) return;
  local.set('lang', next);
  tellServer(next, year);
  use(next);
}

/** What was chosen cannot be had. */
function stay(failed) {
  if (wanted !== failed) return;
  for (const choice of choices()) choice.value = language();
  toast(t('app.languageFailed'));
}

/** All that the page has brought in its own language, in another; or nothing of it. */
async function fetchTexts(tag) {
  const names = [...brought()].map((script) => script.dataset.texts);
  const texts = await Promise.all(names.map((kind) => fetchJson(new URL(`../../${kind}/${tag}.json`, import.meta.url))));
  // The words last: with them the language is there.
  for (const [at, kind] of [...names.entries()].reverse()) kinds[kind](tag, texts[at]);
}

/**
 * A page brings its words but those of what few people see, by what the
 * keys begin with (`LATE` in src/assets/language.rs): they come with the whole catalogue, when something of them is shown.
 */
export async function fetchLateWords() {
  const tag = language();
  if (t('notices.title') === 'notices.title') addWords(tag, await fetchJson(new URL(`../../words/${tag}.json`, import.meta.url)));
}

async function fetchJson(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function use(next) {
  Object.assign(document.documentElement, { lang: next, dir: t('language.direction', {}, next) });
  setLanguage(next);
  for (const choice of choices()) choice.value = next;
}

function tellServer(tag, seconds) {
  const secure = location.protocol === 'https:' ? '; secure' : '';
  document.cookie = `${cookie}=${tag}; path=/; max-age=${seconds}; samesite=lax${secure}`;
}
