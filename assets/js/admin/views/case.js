// A case: what was said and reported, what is known of the person, and the decision. It
// becomes the operator's when it is opened, and the next one takes its place.

import { el } from '../../lib/dom.js';
import { language, t } from '../../lib/i18n.js';
import { appeared } from '../../lib/press.js';
import { monotonicNow, now } from '../../lib/time.js';
import { announce, toast } from '../../ui/toast.js';
import { Refusal } from '../api.js';
import { draftOf, keepDraft } from '../drafts.js';
import { covered, coversTexts, turnAll, uncover } from '../model/covering.js';
import { shutGate, strike } from '../model/keys.js';
import { languageOf } from '../model/decision.js';
import { moved, nextOf } from '../model/order.js';
import { get, operator, post } from '../session.js';
import { attempt, complain, wordsFor } from '../ui/alert.js';
import { asideIds, putAside } from '../ui/aside.js';
import { mountActions } from '../ui/case-actions.js';
import { mountCaseHead } from '../ui/case-head.js';
import { mountConversation } from '../ui/conversation.js';
import { mountAppeal } from '../ui/appeal.js';
import { mountDecision } from '../ui/decision.js';
import { mountHistory } from '../ui/history.js';
import { mountReports } from '../ui/reports.js';

const canClaim = ({ case: row, may }) => may.includes('claim') && !row.closed_at_ms && !row.claim?.mine;

/** The file of a case, which is the operator's from now on where it can be. */
async function fileOf(id) {
  const file = await get(`cases/${id}/`);
  if (!canClaim(file)) return file;
  try {
    return { ...file, case: (await post(`cases/${id}/claim/`)).case };
  } catch (error) {
    // Another was faster: it can be read all the same.
    if (!(error instanceof Refusal)) throw error;
    complain(wordsFor(error));
    return file;
  }
}

export async function mountCase(place, { id }, app) {
  const brought = app.given(id);
  const templates = (await get('templates/')).templates;
  let current = null; // what belongs to the case that is shown
  let gate = shutGate(monotonicNow());
  let busy = false;
  let gone = false;

  async function reload() {
    show(await fileOf(current?.file.case.id ?? id), current?.cover);
  }

  function show(file, cover = covered) {
    // The operator is elsewhere by now.
    if (gone) return;
    current?.leave();
    gate = shutGate(monotonicNow(), gate.lost);
    app.stands({ view: 'case', id: file.case.id }, file.case.closed_at_ms ? 'closed' : 'queue');
    app.title(t('op.case.no', { n: file.case.id }));
    // The second press of a double one belongs to the case before.
    appeared(place);
    place.inert = false;
    current = openCase(place, { file, cover, templates, app, step, after, reload });
    announce(t('op.case.announced', { n: file.case.id, reason: t(`op.reason.${file.case.reason}`), reports: file.case.reports }));
  }

  /** One act at a time, in which nothing of the case can be touched; each is told in words when it fails, and what is written stays. */
  async function step(act) {
    if (busy) return false;
    const focused = document.activeElement;
    const number = current?.file.case.id;
    // Elsewhere "this case" would be no one's.
    const say = (words) => complain(gone ? t('op.err.ofCase', { n: number, words }) : words);
    busy = true;
    place.inert = true;
    place.setAttribute('aria-busy', 'true');
    try {
      return await attempt(act, say);
    } finally {
      busy = false;
      place.inert = false;
      place.removeAttribute('aria-busy');
      if (document.activeElement === document.body) focused.focus({ preventScroll: true });
      tellLost();
    }
  }

  /** One letter is the second of a double press; more of them were words. */
  function tellLost() {
    if (gate.lost > 1 && !gone) toast(t('op.case.lost'));
    gate = { ...gate, lost: 0 };
  }

  /** To the next one. What was done is done, also when there is no answer about the next: the queue says so, or has it. */
  const after = (given) => moveOn(given).catch(() => app.go({ view: 'queue' }));

  /** To that which the server gave, unless it was put aside before. */
  async function moveOn(given) {
    if (given && !asideIds().has(given.case.id)) {
      show(given);
      return;
    }
    const { cases } = await get('queue/');
    const row = nextOf(cases, asideIds(), operator().role, now());
    // What would be claimed for an operator who has left is left to the others.
    if (gone) return;
    if (row) show(await fileOf(row.id));
    else {
      const rest = asideIds().size > 0 ? 'op.queue.restAside' : 'op.queue.rest';
      toast(t(cases.length > 0 ? rest : 'op.queue.done'));
      app.go({ view: 'queue' });
    }
  }

  const next = () => step(async () => {
    const { file } = current;
    if (file.case.claim?.mine) await post(`cases/${file.case.id}/release/`);
    putAside(file.case.id);
    await after(null);
  });

  show(brought ?? (await fileOf(id)));
  return {
    leave() {
      gone = true;
      current?.leave();
    },
    /** Keys of the case before, and those that are struck while something is sent, are none of this one's. */
    takesKey(key) {
      const struck = strike(gate, key, monotonicNow(), busy);
      gate = struck.gate;
      if (!busy && gate.lost > 1) tellLost();
      return struck.goes;
    },
    command(command) {
      if (command === 'queue') app.go({ view: 'queue' });
      else if (command === 'next') next();
      else return current.command(command);
      return true;
    },
  };

  function openCase(into, context) {
    return caseView(into, { ...context, next });
  }
}

/** The view of one case. */
function caseView(place, { file, cover: first, templates, app, step, after, reload, next }) {
  const { case: row } = file;
  const covers = coversTexts(row, file.reports);
  const room = file.rooms[0];
  let cover = first;
  let at = -1;
  const seenReports = { seen_reports: file.reports.length + file.reports_left_out };
  const readable = { covers, isShown: () => cover, onUncover: (key) => recover(uncover(cover, key)), onTurnAll: () => recover(turnAll(cover)) };
  const talk = mountConversation(file, readable);
  const reports = mountReports(file, { ...readable, step, reload });
  const judged = row.kind === 'appeal' ? mountAppeal : mountDecision;
  const form = judged(file, { templates, draft: draftOf(`case.${row.id}`), keep: (draft) => keepDraft(`case.${row.id}`, draft), language: languageOf(room?.entries ?? [], room?.subject, language()), send });
  const actions = mountActions(file, { app, step, after, reload, next, form, seen, seenReports });
  const head = mountCaseHead(file, { app });
  place.replaceChildren(head.node, el('div', { class: 'op-case' },
    el('div', { class: 'op-evidence' }, reports.node, talk.node),
    el('div', { class: 'op-side' }, form.node, ...(row.closed_at_ms ? [actions.more, mountHistory(file)] : [mountHistory(file), actions.more]))), actions.bar);
  head.focus();

  function recover(changed) {
    cover = changed;
    talk.paint();
    reports.paint();
  }

  /** Sends what was decided, and goes on with what comes next. */
  function send(path, body, draft) {
    const stay = asideIds().size > 0 ? '?stay=1' : '';
    return step(async () => {
      const { next: given } = await seen(() => post(`cases/${row.id}/${path}/${stay}`, { ...body, ...seenReports }), draft);
      keepDraft(`case.${row.id}`, null);
      toast(t('op.decide.done', { n: row.id }));
      await after(given ?? null);
    });
  }

  /** What came into the case since it was read is shown before it is judged. */
  async function seen(act, draft) {
    try {
      return await act();
    } catch (error) {
      if (error.code === 'new_reports') {
        keepDraft(`case.${row.id}`, draft);
        await reload();
      }
      throw error;
    }
  }

  function select(by) {
    // From where one is, however one came there.
    if (talk.place() >= 0) at = talk.place();
    at = moved(at < 0 ? talk.firstReported() - by : at, by, talk.count());
    talk.focus(at);
  }

  return {
    file,
    get cover() {
      return cover;
    },
    leave: () => head.leave(),
    command(command) {
      if (command === 'decide') form.submit();
      else if (command === 'down' || command === 'up') select(command === 'down' ? 1 : -1);
      else if (command === 'uncover') recover(turnAll(cover));
      else if (command === 'text') form.write();
      else if (command.startsWith('template-')) form.pick(Number(command.slice(-1)) - 1);
      else if (command === 'escalate') actions.escalate();
      else return false;
      return true;
    },
  };
}
