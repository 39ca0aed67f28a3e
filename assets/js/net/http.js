// The JSON routes the pages use. An answer that is not ok becomes an
// HttpError with its status; a network that fails stays the browser's error.

export class HttpError extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
  }
}

async function getJson(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' }, cache: 'no-store', credentials: 'same-origin' });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new HttpError(response.status, problem.code ?? 'unknown');
}

export const defaultSite = {
  name: '秘語',
  tagline: '',
  rules: '',
  contact: '',
  minimum_age: 18,
  default_language: 'auto',
  retention_ms: 86_400_000,
  reconnect_grace_ms: 300_000,
  max_message_chars: 2000,
  max_nickname_chars: 12,
  options: {},
};

/** What the operator configured; the defaults when it cannot be read. */
export async function getSite() {
  try {
    return { ...defaultSite, ...(await getJson('/api/site')) };
  } catch {
    return defaultSite;
  }
}

/** Whether an answer of this server arrives, and not one of whatever stands before it. */
export async function reachesServer() {
  return getJson('/api/site').then((site) => typeof site.name === 'string', () => false);
}

export const getStats = () => getJson('/api/stats');

export async function getRooms() {
  const answer = await getJson('/api/rooms/');
  return Array.isArray(answer.rooms) ? answer.rooms : [];
}

/** Ends this browser's session on the server: its rooms, searches and blocks. */
export async function forgetBrowser() {
  const response = await fetch('/api/session/forget', { method: 'POST', cache: 'no-store', credentials: 'same-origin' });
  if (!response.ok) throw new HttpError(response.status, 'not_forgotten');
}
