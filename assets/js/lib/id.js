// Random ids and choices. getRandomValues works on plain http, where
// crypto.randomUUID does not exist.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function randomId(length = 22) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => alphabet[byte & 63]).join('');
}

export function randomInt(limit) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % limit;
}

export const choose = (items) => items[randomInt(items.length)];
