// Which first sentences a conversation offers, and when. Pure: the same room and
// side give the same three, also after a reload. The sentences are starters/*.json.

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('../lib/starters.js').Starters} Starters */
/** @typedef {{ language: string | null, text: string }} SiteStarter one of the operator's: null is every language */

const shown = 3;
/** How long both must have been silent for the sentences to come back. */
export const silence = 180_000;

/**
 * The sentences to offer: from the shared topic, else from the partner's mood, else for all. Of the
 * operator's own one is among them. `round` counts how often they were offered before: others then.
 * @param {Pick<Room, 'roomId' | 'me' | 'commonTags' | 'partner' | 'isBot'>} room @param {string} lang
 * @param {Starters} starters of that language @param {SiteStarter[]} siteStarters @returns {string[]}
 */
export function startersFor(room, lang, starters, siteStarters = [], round = 0) {
  const order = shuffler(`${room.roomId} ${room.me ?? ''}`);
  const site = siteStarters.filter(({ language }) => language === null || language === lang).map(({ text }) => text);
  const own = turn(order(site), round, 1);
  const ours = order(pool(room, starters));
  return [...own, ...turn(ours, round * shown, shown).filter((text) => !own.includes(text))].slice(0, shown);
}

/** @param {Pick<Room, 'commonTags' | 'partner' | 'isBot'>} room @param {Starters} starters */
function pool({ commonTags, partner, isBot }, { tags, ownTag, moods, all }) {
  const known = commonTags.filter((tag) => Object.hasOwn(tags, tag));
  if (known.length > 0) return known.flatMap((tag) => tags[tag]);
  if (commonTags.length > 0) return ownTag.map((text) => text.replaceAll('{tag}', () => commonTags[0]));
  const mood = partner?.mood ?? '';
  return !isBot && Object.hasOwn(moods, mood) ? moods[mood] : all;
}

/**
 * So many of a list from a place on, which goes on at the beginning.
 * @template T
 * @param {T[]} list @param {number} from @param {number} count
 */
const turn = (list, from, count) => list.slice(0, count).map((_, index) => list[(from + index) % list.length]);

/**
 * An order that depends on the seed alone.
 * @param {string} seed @returns {<T>(list: T[]) => T[]}
 */
function shuffler(seed) {
  let state = 2166136261;
  for (const char of seed) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16777619);
  const next = () => {
    state = Math.imul(state ^ (state >>> 15), 2246822507) ^ Math.imul(state ^ (state >>> 13), 3266489909);
    return (state >>> 0) / 2 ** 32;
  };
  return (list) => list.map((item) => ({ item, at: next() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/**
 * When they are to be seen: until one of the two has spoken, folded until the other one has, and all of them once
 * more after a long silence.
 * @typedef {object} Offer
 * @property {'first' | 'folded' | 'silence' | 'second' | 'over'} phase
 * @property {number} entries what had been said when this was looked at last
 * @property {number} since since when nothing has happened, on the page's clock
 */

/** @param {number} now @returns {Offer} */
export const newOffer = (now) => ({ phase: 'first', entries: 0, since: now });

/**
 * @param {Offer} offer @param {Pick<Room, 'lastSeq' | 'messages' | 'pendingMessages' | 'partnerTyping'>} room
 * @param {{ now: number, writes: boolean }} circumstances `writes`: something of one's own stands in the field
 * @returns {Offer}
 */
export function followOffer(offer, room, { now, writes }) {
  const entries = room.lastSeq + room.pendingMessages.length;
  const spoken = entries !== offer.entries;
  const hasSpoken = room.pendingMessages.length > 0 || room.messages.some((message) => message.mine);
  if (offer.phase === 'first' && spoken && !hasSpoken) return { phase: 'folded', entries, since: now };
  if (offer.phase === 'first') return spoken ? { phase: 'silence', entries, since: now } : offer;
  if (offer.phase === 'folded') return hasSpoken ? { phase: 'silence', entries, since: now } : offer;
  if (offer.phase === 'second') return spoken ? { phase: 'over', entries, since: now } : offer;
  if (offer.phase === 'over') return offer;
  if (spoken || writes || room.partnerTyping) return { phase: 'silence', entries, since: now };
  return now - offer.since >= silence ? { ...offer, phase: 'second' } : offer;
}

/** Which offer of sentences there is, 0 or 1; null: none. @param {Offer} offer */
export const openRound = ({ phase }) => ({ first: 0, folded: 0, second: 1, silence: null, over: null })[phase];

/** Whether only the question is to be seen: who is spoken to may still be at a loss, and has something to answer. @param {Offer} offer */
export const isFolded = ({ phase }) => phase === 'folded';
