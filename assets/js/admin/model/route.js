// Where in the console one is: the part of the address after its # and back. Pure. It
// reaches no server and no log, which is why a set-up link has its token there.

/** Views of the bar, in its order; the last ones for administrators alone. */
export const places = ['queue', 'closed', 'sanctions', 'site', 'templates', 'operators', 'audit', 'account'];
const ofAdministrators = new Set(['operators', 'audit']);

/** @typedef {{ view: string, id?: number, token?: string }} Route */

/**
 * @param {string} hash as of an address, with its #
 * @returns {Route}
 */
export function parseRoute(hash) {
  const text = hash.replace(/^#\/?/, '');
  const token = text.match(/^setup=([\w~.-]+)$/)?.[1];
  if (token) return { view: 'setup', token };
  const id = text.match(/^case\/([1-9]\d{0,15})$/)?.[1];
  if (id) return { view: 'case', id: Number(id) };
  return { view: places.includes(text) ? text : 'queue' };
}

/** @param {Route} route */
export const hashOf = ({ view, id }) => (id === undefined ? `#/${view}` : `#/${view}/${id}`);

/**
 * The views that this role is offered.
 * @param {string} role
 */
export const placesOf = (role) => places.filter((view) => role === 'administrator' || !ofAdministrators.has(view));
