// Who is logged in, and what happens when that ends: the log-in comes up over what is
// open, and the question that could not be answered is put again. Nothing written is lost.

import { Refusal, ask } from './api.js';
import { loginSheet } from './ui/login-form.js';

let session = null;
let returning = null; // one log-in at a time, however many questions wait for it

export const operator = () => session?.operator ?? null;
export const isAdministrator = () => operator()?.role === 'administrator';

/** @param {object | null} next as the server says it */
export function setSession(next) {
  session = next;
}

/** Asks who is logged in: `in`, `out`, `none` (there is no operator), `plain` (not over this connection). */
export async function begin() {
  try {
    setSession(await ask('session/'));
    return 'in';
  } catch (error) {
    const states = { not_logged_in: 'out', no_operator: 'none', plain_http: 'plain' };
    if (error instanceof Refusal && error.code in states) return states[error.code];
    throw error;
  }
}

/** As `ask`; where the session has ended, after a new log-in. */
export async function asked(path, options) {
  for (;;) {
    try {
      return await ask(path, options);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'not_logged_in' || !session) throw error;
      if (!(await comeBack())) throw error;
    }
  }
}

export const get = (path) => asked(path);
export const post = (path, body = {}) => asked(path, { method: 'POST', body });
export const put = (path, body) => asked(path, { method: 'PUT', body });
export const remove = (path, body) => asked(path, { method: 'DELETE', body });

function comeBack() {
  returning ??= loginSheet(operator()?.name ?? '')
    .then((next) => {
      if (!next) return false;
      const { id, role } = operator() ?? {};
      const another = next.operator.id !== id || next.operator.role !== role;
      setSession(next);
      // What is open belongs to the one before, or to what they might do then.
      if (another) location.reload();
      return !another;
    })
    .finally(() => {
      returning = null;
    });
  return returning;
}

export async function logOut() {
  await ask('session/', { method: 'DELETE' }).catch((error) => {
    if (!(error instanceof Refusal)) throw error;
  });
  setSession(null);
}
