// The panel in which a case is decided, be it of reports or an appeal: choices by number,
// fields, what is still missing, and the button that sends it. On a phone it is a sheet
// from below, which the bar at the thumb opens; where there is nothing to decide, it says why.

import { el, icon, setText } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { appeared } from '../../lib/press.js';
import { lengths } from '../model/decision.js';
import { button, field } from './fields.js';
import { kindName, length } from './format.js';

/** One of the choices, which its number chooses too. */
export function choiceRow({ name, value, number, test }, onPick, ...words) {
  const radio = el('input', { type: 'radio', name, value, class: 'sr', onchange: onPick });
  return el('label', { class: 'op-template', test }, radio, el('kbd', { class: 'op-kbd' }, String(number)), ...words);
}

/** Writes the options of a choice anew. @param {HTMLSelectElement} node @param {[string, string][]} all @param {string} value */
export function offer(node, all, value) {
  node.replaceChildren(...all.map(([of, words]) => el('option', { value: of }, words)));
  node.value = value;
}

/** Writes a text where another one stands: the caret of one that is being typed stays where it is. @param {HTMLTextAreaElement} node @param {string} value */
export function write(node, value) {
  if (node.value !== value) node.value = value;
}

/** The panel, with what other acts on the case ask of its form. @param {any} panel @param {() => any} form as it is now @param {(name: 'note', value: string) => void} set */
export const judging = (panel, form, set) => ({
  ...panel,
  draft: form,
  note: () => form().note.trim(),
  /** It is written down with another act. */
  noteSent: () => form().note !== '' && set('note', ''),
});

/** A sanction and for how long it holds, as two fields. @param {string} key of the first one's words @param {(name: 'kind' | 'length_ms', value: any) => void} set */
export function sanctionFields(key, set) {
  const kind = el('select', { test: 'kind', onchange: () => set('kind', kind.value) });
  const span = el('select', { test: 'length', onchange: () => set('length_ms', span.value === '' ? null : Number(span.value)) });
  const spanField = field('op.length', span);
  return {
    nodes: [field(key, kind), spanField],
    show(form, kinds) {
      offer(kind, kinds.map((it) => [it, kindName(it, form.rule)]), form.kind);
      const offered = lengths[form.kind];
      spanField.hidden = !offered;
      // A length that a template brings is offered, whatever it is.
      if (offered) offer(span, [...new Set([...offered, form.length_ms])].map((it) => [String(it ?? ''), length(it)]), String(form.length_ms ?? ''));
    },
  };
}

/**
 * @param {object} made
 * @param {string} made.title @param {any} made.file
 * @param {boolean} made.can whether this operator may decide it
 * @param {Node[]} [made.about] what stands above the choices
 * @param {string} made.legend @param {HTMLElement[]} made.rows @param {Node[]} made.fields @param {HTMLTextAreaElement} made.text
 * @param {(at: number) => void} made.onPick
 * @param {() => string | null} made.lacks what is missing, as the name of a text
 * @param {() => string} [made.ready] what is said when nothing is
 * @param {() => void} made.onSend
 */
export function mountPanel({ title, file, can, about = [], legend, rows, fields, text, onPick, lacks, ready = () => 'op.decide.ready', onSend }) {
  const go = button('op.decide.go', () => submit(), { kind: 'primary', test: 'decide' });
  const hint = el('p', { class: 'op-meta', role: 'status', test: 'decide-hint' });
  const heading = el('h2', { class: 'op-subtitle', tabindex: '-1' }, title);
  const close = can && el('button', { type: 'button', class: 'button-icon op-decide-close', 'aria-label': t('app.close'), test: 'decide-close', onclick: () => open(false) }, icon('close'));
  const node = el('section', { class: can ? 'op-decide' : 'op-card', test: 'decision', 'aria-label': title, onkeydown: onKey }, el('header', { class: 'op-decide-head' }, heading, close), ...about);
  let opener = null;
  if (can) node.append(el('fieldset', { class: 'op-templates' }, el('legend', { class: 'sr' }, legend), ...rows), el('div', { class: 'op-decide-fields' }, ...fields), el('div', { class: 'op-decide-foot' }, hint, go));
  else node.append(el('p', { class: 'op-empty-small' }, t(file.case.closed_at_ms ? 'op.decide.closed' : 'op.decide.notYours')));

  const isSheet = () => getComputedStyle(node).position === 'fixed';

  /** The focus goes along with the sheet: what it lies on is not seen. */
  function open(opens = true) {
    const was = node.classList.contains('is-open');
    node.classList.toggle('is-open', opens);
    if (opens === was || !isSheet()) return;
    if (opens) {
      appeared(node);
      opener = document.activeElement;
      heading.focus({ preventScroll: true });
    } else opener?.focus({ preventScroll: true });
  }

  function onKey(event) {
    if (event.key !== 'Escape' || !isSheet() || event.target === text) return;
    event.stopPropagation();
    open(false);
  }

  function submit() {
    if (!can) return false;
    const missing = lacks();
    if (missing) {
      setText(hint, t(missing));
      // Where words are all that is missing, that is where one is.
      if (missing.endsWith('needsText')) text.focus();
      return false;
    }
    onSend();
    return true;
  }

  return {
    node,
    open,
    submit,
    /** Shows which choice holds, and what is missing. @param {string | null} chosen */
    show(chosen) {
      for (const { firstChild: radio } of rows) radio.checked = radio.value === chosen;
      const missing = lacks();
      go.disabled = missing !== null;
      setText(hint, t(missing ?? ready()));
    },
    pick(at) {
      if (!can || !rows[at]) return;
      onPick(at);
      open(true);
      rows[at].scrollIntoView({ block: 'nearest' });
    },
    write() {
      open(true);
      if (can) text.focus();
    },
  };
}
