// What a row of the audit log is about, of the few forms that the server writes: as the
// name of a text and its values. Pure. The row itself stays as it was written.

import { rules } from './decision.js';

const settings = ['broadcast', 'maintenance', 'templates'];
const holds = new Map([['180 days', 'op.hold.half_year'], ['365 days', 'op.hold.year'], ['no longer', 'op.hold.none']]);
// The forms with "on" and "off", and with a colon before them, are of older rows in PostgreSQL.
const factors = new Map([
  ['second factor', 'op.totp.on'],
  ['second factor on', 'op.totp.on'],
  ['no second factor', 'op.totp.off'],
  ['second factor off', 'op.totp.off'],
]);

/**
 * The words it is told in, each as the key of a text with its values; a plain text where there is none.
 * @param {string} details @param {ReadonlyMap<number, string>} names of operators
 * @returns {({ key: string, values?: Record<string, unknown> } | string)[]}
 */
export function aboutOf(details, names) {
  if (rules.includes(details)) return [{ key: `op.reason.${details}` }];
  const hold = holds.get(details);
  if (hold) return [{ key: hold }];
  const reports = details.match(/^(\d+) reports?$/);
  if (reports) return [{ key: 'op.case.reports', values: { n: Number(reports[1]) } }];
  const setting = details.match(/^(\w+)( taken back)?$/);
  if (setting && settings.includes(setting[1])) return [{ key: `op.audit.${setting[1]}` }, ...(setting[2] ? [{ key: 'op.audit.takenBack' }] : [])];
  const operator = details.match(/^operator (\d+):?(?: (.+))?$/);
  if (!operator) return details ? [details] : [];
  return [names.get(Number(operator[1])) ?? details, ...(operator[2] ? [{ key: factors.get(operator[2]) ?? `op.audit.${operator[2]}` }] : [])];
}
