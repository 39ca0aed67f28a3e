// First sentences for people who do not know how to begin, in the languages that
// this page has: by topic, by mood, and for all; `{tag}` stands for a topic of a
// person's own. They are written in starters/LANGUAGE.json. Which of them are
// shown is model/starters.js.
//
// Each can be answered in one line, asks for nothing that tells who or where a
// person is, and reads as if it were typed.

/**
 * @typedef {object} Starters of one language
 * @property {Record<string, string[]>} tags by the topic both like
 * @property {string[]} ownTag about a topic that is not one of ours
 * @property {Record<string, string[]>} moods by how the partner feels today
 * @property {string[]} all
 */

/** @type {Starters} */
const none = { tags: {}, ownTag: [], moods: {}, all: [] };

/** @type {Map<string, Starters>} */
const languages = new Map();

/** @param {string} language @param {Starters} starters */
export const addStarters = (language, starters) => void languages.set(language, starters);

/** @param {string} language */
export const startersIn = (language) => languages.get(language) ?? none;
