// The reports of a case: who by their number in it, what for, how much each counts, and
// what was claimed of messages that are not there any more.

import { el } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { toast } from '../../ui/toast.js';
import { isCovered } from '../model/covering.js';
import { post } from '../session.js';
import { askSheet } from './ask.js';
import { button } from './fields.js';
import { ago, reasonName } from './format.js';
import { saidOrCovered } from './said.js';

/** How much it counts; what is invalid says so itself. */
function weightWords({ weight, state }, past) {
  if (weight > 0) return t('op.report.weight', { n: Math.round(weight * 100) / 100 });
  return state !== 'invalid' && t(past?.muted ? 'op.report.muted' : 'op.report.nothing');
}

/** @param {any} file @param {any} context */
export function mountReports(file, { step, reload, ...reading }) {
  const list = el('ul', { class: 'op-rows' });
  const ownTitle = t(file.case.kind === 'appeal' ? 'op.case.appealText' : 'op.case.handText');
  // Without a report the section is what the case was opened with.
  const isOwn = file.reports.length === 0;
  const node = el('section', { class: 'op-reports', test: 'reports' }, el('h2', { class: 'op-subtitle' }, isOwn ? ownTitle : t('op.reports')), list);
  node.hidden = file.reports.length === 0 && !file.text;

  const words = (text, key) => saidOrCovered(text, isCovered(reading.covers, reading.isShown(), key), () => reading.onUncover(key));

  /** Whose words they are is the log's to say: a reporter can prove their own, too. */
  function claimNode(report, { seq, content, verified }) {
    const room = file.rooms.find((it) => it.room === report.room);
    const side = room?.entries?.find((it) => it.seq === seq)?.side;
    const whose = side && t(side === room.subject ? 'op.side.subject' : 'op.side.other');
    return el('li', { class: 'op-claimed' }, el('span', { class: `op-flag ${verified ? 'is-proved' : 'is-unproved'}` }, t(verified ? 'op.claim.proved' : 'op.entry.unproved')), whose && el('strong', {}, `${whose} `), words(content, `claim/${report.id}/${seq}`));
  }

  async function invalidate(report) {
    const answer = await askSheet({ title: t('op.invalidate.title'), text: t('op.invalidate.text', { n: report.reporter }), options: [['0', t('op.invalidate.only')], [String(30 * 86_400_000), t('op.invalidate.mute')]], go: 'op.invalidate.go' });
    if (answer === null) return;
    const mute = Number(answer.chosen);
    await step(async () => {
      const done = await post(`cases/${file.case.id}/invalidate/`, { report: report.id, ...(mute > 0 ? { mute_ms: mute } : {}) });
      toast(t('op.invalidate.done', { n: done.invalidated }));
      await reload();
    });
  }

  /** The way back from it. */
  async function revalidate(report) {
    const answer = await askSheet({ title: t('op.revalidate.title'), text: t('op.revalidate.text', { n: report.reporter }), go: 'op.revalidate.go' });
    if (answer === null) return;
    await step(async () => {
      const done = await post(`cases/${file.case.id}/revalidate/`, { report: report.id });
      toast(t('op.revalidate.done', { n: done.revalidated }));
      await reload();
    });
  }

  function offerOf(report) {
    if (report.state === 'standing' && file.may.includes('invalidate')) return button('op.invalidate.open', () => invalidate(report), { kind: 'link', test: 'invalidate' });
    return report.may_revalidate && button('op.revalidate.open', () => revalidate(report), { kind: 'link', test: 'revalidate' });
  }

  function reportNode(report) {
    const past = file.reporters?.find(({ reporter }) => reporter === report.reporter);
    const about = [t('op.report.by', { n: report.reporter }), reasonName(report.reason), weightWords(report, past), ago(report.at_ms)].filter(Boolean);
    if (past) about.push(t(past.decided > 0 ? 'op.report.accuracy' : 'op.report.first', { n: past.upheld, total: past.decided }));
    if (report.messages === null) about.push(t('op.report.whole'));
    if (report.state !== 'standing') about.push(t(`op.report.${report.state}`));
    return el('li', { class: 'op-row', test: 'report' },
      el('p', {}, el('strong', {}, about[0]), ` · ${about[1]}`),
      el('p', { class: 'op-meta' }, about.slice(2).join(' · ')),
      report.note && el('p', { class: 'op-text op-quoted' }, words(report.note, `note/${report.id}`)),
      report.claims.length > 0 && el('ul', { class: 'op-claims' }, ...report.claims.map((claim) => claimNode(report, claim))),
      offerOf(report));
  }

  function paint() {
    const own = file.text && el('li', { class: 'op-row' }, !isOwn && el('p', {}, el('strong', {}, ownTitle)), el('p', { class: 'op-text op-quoted' }, words(file.text, 'text')));
    list.replaceChildren(...[own].filter(Boolean), ...file.reports.map(reportNode));
    if (file.reports_left_out > 0) list.append(el('li', { class: 'op-meta' }, t('op.report.leftOut', { n: file.reports_left_out })));
  }

  paint();
  return { node, paint };
}
