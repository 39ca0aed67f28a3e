// What this browser remembers of people it blocked: what they were called there.
// The server keeps no names beyond their conversation, so that only the one who
// saw a name has it, and for as long as the block stands. Pure.

/** @typedef {{ room: string, name: string, avatar: string, at: number }} BlockedName */
/** @typedef {{ room_id: string, since_ms: number }} Block as the server lists it */
/** @typedef {{ room: string, name: string | null, avatar: string | null, at: number }} BlockRow */

const most = 200;
/** So long a block may be on its way to the server. */
const onItsWay = 24 * 3600_000;

/** @param {unknown} stored @returns {BlockedName[]} */
export function readNames(stored) {
  if (!Array.isArray(stored)) return [];
  return stored.filter((entry) => typeof entry?.room === 'string' && typeof entry.name === 'string' && typeof entry.at === 'number');
}

/** @param {BlockedName[]} names @param {BlockedName} name */
export const withName = (names, name) => [name, ...names.filter(({ room }) => room !== name.room)].slice(0, most);

/** @param {BlockedName[]} names @param {string} room */
export const withoutName = (names, room) => names.filter((name) => name.room !== room);

/**
 * Those of which the server still has the block, or may not have heard yet.
 * @param {BlockedName[]} names @param {Block[]} blocks @param {number} now
 */
export function stillBlocked(names, blocks, now) {
  const rooms = new Set(blocks.map((block) => block.room_id));
  return names.filter(({ room, at }) => rooms.has(room) || (at <= now && now - at < onItsWay));
}

/**
 * What is listed: the server's blocks, with what they were called where this browser knows.
 * @param {Block[]} blocks @param {BlockedName[]} names @returns {BlockRow[]}
 */
export function blockRows(blocks, names) {
  return blocks.map(({ room_id: room, since_ms: at }) => {
    const known = names.find((name) => name.room === room);
    return { room, name: known?.name ?? null, avatar: known?.avatar ?? null, at };
  });
}
