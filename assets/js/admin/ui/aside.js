// The cases that were put aside in this round through the queue: n does not come back to
// them. Looking at the queue begins another round.

const aside = new Set();

/** @param {number} id */
export const putAside = (id) => void aside.add(id);
export const asideIds = () => /** @type {ReadonlySet<number>} */ (aside);
export const forgetAside = () => aside.clear();
