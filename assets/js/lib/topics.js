// The topics that pages offer: our own, unless the operator has others
// (site.topics). Which of them a person chose is the profile's.

/** @typedef {{ tag: string, names?: Record<string, string> }} OfferedTopic `names`: what pages of other languages call it */

export const builtInTags = ['音樂', '電影', '旅行', '美食', '運動', '遊戲', '閱讀', '攝影', '藝術'];

/** @type {OfferedTopic[]} */
let offered = builtInTags.map((tag) => ({ tag }));

/**
 * Takes the site's topics. What is no list of them changes nothing.
 * @param {unknown} topics
 */
export function offerTopics(topics) {
  if (!Array.isArray(topics)) return;
  const fitting = topics.filter((topic) => typeof topic?.tag === 'string');
  if (fitting.length > 0) offered = fitting;
}

/** Takes those that the server wrote into this page. */
export function offerTopicsOfPage() {
  const { topics } = /** @type {HTMLElement | null} */ (document.querySelector('[data-topics]'))?.dataset ?? {};
  try {
    offerTopics(JSON.parse(topics ?? ''));
  } catch {
    // A page of the operator's own need not say them.
  }
}

export const offeredTags = () => offered.map(({ tag }) => tag);

/**
 * What the operator calls a topic in that language.
 * @param {string} tag @param {string} language
 */
export const topicName = (tag, language) => offered.find((topic) => topic.tag === tag)?.names?.[language];
