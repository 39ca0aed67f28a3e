// The console's pure parts: which key means what, the form of a decision, covers, what a
// text hides, which case comes next; and its catalogue.

import assert from 'node:assert/strict';
import { mergeTemplates } from '../../assets/js/admin/model/merge.js';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aboutOf } from '../../assets/js/admin/model/audit.js';
import { covered, coversTexts, isCovered, turnAll, uncover } from '../../assets/js/admin/model/covering.js';
import { appealBody, appealMissing, bodyOf, change, changeAppeal, emptyAppeal, emptyForm, isTouched, kindsFor, languageOf, missing, useTemplate } from '../../assets/js/admin/model/decision.js';
import { commandOf, keysOf, shutGate, strike } from '../../assets/js/admin/model/keys.js';
import { moved, nextOf } from '../../assets/js/admin/model/order.js';
import { hashOf, parseRoute, places, placesOf } from '../../assets/js/admin/model/route.js';
import { partsOf } from '../../assets/js/admin/model/visible.js';
import { said, saidOrCovered } from '../../assets/js/admin/ui/said.js';
import { installPage } from './page.mjs';
import { root, sources } from './sources.mjs';
import { catalogues as general } from './words.mjs';

const inCase = { view: 'case' };
const press = (key, more = {}) => ({ key, ...more });

test('a case is worked through with single keys', () => {
  for (const [key, command] of [['1', 'template-1'], ['7', 'template-7'], ['Enter', 'decide'], ['n', 'next'], ['N', 'next'], ['e', 'escalate'], ['j', 'down'], ['k', 'up'], ['?', 'help'], ['8', null]]) {
    assert.equal(commandOf(press(key), inCase), command, key);
  }
  assert.equal(commandOf(press('Enter'), { view: 'queue' }), 'open');
  assert.equal(commandOf(press('1'), { view: 'queue' }), null);
});

test('a key that is held down moves, and decides nothing', () => {
  assert.equal(commandOf(press('j', { repeat: true }), inCase), 'down');
  for (const key of ['Enter', '1', 'n', 'e']) assert.equal(commandOf(press(key, { repeat: true }), inCase), null, key);
  assert.equal(commandOf(press('Enter', { repeat: true, ctrlKey: true }), { ...inCase, typing: true }), null);
});

test('what is typed is typed', () => {
  const typing = { ...inCase, typing: true };
  for (const key of ['1', 'n', 'e', 'j', '?', 'Enter']) assert.equal(commandOf(press(key), typing), null, key);
  assert.equal(commandOf(press('Enter', { ctrlKey: true }), typing), 'decide');
  assert.equal(commandOf(press('Enter', { metaKey: true }), typing), 'decide');
  // An input method ends a word with it.
  assert.equal(commandOf(press('Enter', { ctrlKey: true, isComposing: true }), typing), null);
  assert.equal(commandOf(press('Escape'), typing), 'leave-field');
});

test('Enter on a button is the button’s, and keys of the browser are left to it', () => {
  assert.equal(commandOf(press('Enter'), { ...inCase, pressable: true }), null);
  assert.equal(commandOf(press('1'), { ...inCase, pressable: true }), 'template-1');
  assert.equal(commandOf(press('n', { ctrlKey: true }), inCase), null);
  assert.equal(commandOf(press('1', { altKey: true }), inCase), null);
});

/** What goes through of these keys, each with its time, at a case that came up at 1000. */
function through(struck, busy = () => false) {
  let gate = shutGate(1000);
  const went = struck.filter(([key, at]) => {
    const { gate: next, goes } = strike(gate, typeof key === 'string' ? press(key) : key, at, busy(at));
    gate = next;
    return goes;
  });
  return { went: went.map(([key]) => key), lost: gate.lost };
}

test('the second of a double press is not of this case', () => {
  assert.deepEqual(through([['Enter', 1399]]), { went: [], lost: 0 });
  assert.deepEqual(through([['Enter', 1400]]).went, ['Enter']);
});

test('words that were begun before a case came up go on into none of it', () => {
  const words = [...'then n'].map((key, at) => [key, 1050 + at * 300]);
  assert.deepEqual(through(words), { went: [], lost: 6 });
  assert.deepEqual(through([...words, ['1', 2950], ['t', 2960]]).went, ['1', 't']);
});

test('no key goes through while something is sent', () => {
  const busy = (at) => at > 5000 && at < 9000;
  assert.deepEqual(through([['t', 2000], ['a', 6000], ['Tab', 8800], ['b', 9010], ['c', 9500]], busy), { went: ['t', 'c'], lost: 2 });
});

test('keys of the browser are not held back', () => {
  const keys = [[press('r', { ctrlKey: true }), 1010], ['F5', 1020], ['Shift', 1030], ['ArrowDown', 1040], [press('v', { metaKey: true }), 1050]];
  assert.equal(through(keys).went.length, keys.length);
  assert.deepEqual(through([[press('Enter', { ctrlKey: true }), 1050]]).went, []);
});

const templates = [
  { id: 'mute', rule: 'sexual', finding: 'violation', sanction: { on: 'person', kind: 'mute', length_ms: 86_400_000 }, texts: { 'zh-TW': '你被禁言。', en: 'You are muted.' }, reporter_texts: { 'zh-TW': '謝謝。', en: 'Thank you.' } },
  { id: 'ban', rule: 'minor', finding: 'violation', sanction: { on: 'person', kind: 'ban' }, texts: { en: 'Banned.' }, reporter_texts: {} },
  { id: 'none', rule: 'other', finding: 'no_violation', texts: { en: '' }, reporter_texts: { en: 'We found nothing.' } },
];

test('a template fills the form, and is sent as the server takes it', () => {
  const form = useTemplate(emptyForm('harassment', 'zh-TW'), templates[0]);
  assert.equal(missing(form), null);
  assert.deepEqual(bodyOf(form), { finding: 'violation', rule: 'sexual', note: '', text: '你被禁言。', reporter_text: '謝謝。', sanctions: [{ on: 'person', kind: 'mute', length_ms: 86_400_000 }] });
  assert.deepEqual(bodyOf(useTemplate(form, templates[1])).sanctions, [{ on: 'person', kind: 'ban' }], 'without an end there is no length');
  const nothing = bodyOf(useTemplate(emptyForm('harassment', 'en'), templates[2]));
  assert.deepEqual([nothing.rule, nothing.sanctions, nothing.reporter_text], ['harassment', [], 'We found nothing.'], 'no violation of the rule that was named');
});

test('what was written by hand outlives another template and another language', () => {
  let form = change(useTemplate(emptyForm('sexual', 'en'), templates[0]), 'text', 'My own words', templates);
  assert.ok(isTouched(form));
  form = change(useTemplate(form, templates[1]), 'language', 'zh-TW', templates);
  assert.deepEqual([form.text, form.reporter_text], ['My own words', '']);
  form = change(form, 'text', '', templates);
  assert.equal(useTemplate(form, templates[0]).text, '你被禁言。', 'an emptied text may be filled again');
  assert.equal(isTouched(useTemplate(emptyForm('sexual', 'en'), templates[0])), false, 'a template alone is no draft');
});

test('a decision lacks a finding, or the words for what the person is told of', () => {
  assert.equal(missing(emptyForm('spam', 'en')), 'op.decide.choose');
  const form = useTemplate(emptyForm('sexual', 'en'), templates[0]);
  assert.equal(missing(change(form, 'text', ' ', templates)), 'op.decide.needsText');
  assert.equal(missing(change(change(form, 'text', '', templates), 'kind', 'note', templates)), null);
});

test('what would be refused is not offered', () => {
  const form = useTemplate(emptyForm('sexual', 'en'), templates[0]);
  assert.ok(!kindsFor(form).includes('shadow_mute'));
  const hidden = change(change(form, 'rule', 'spam', templates), 'kind', 'shadow_mute', templates);
  assert.ok(hidden.length_ms <= 86_400_000);
  assert.equal(change(hidden, 'rule', 'other', templates).kind, 'none');
  assert.deepEqual(bodyOf(change(form, 'finding', 'no_violation', templates)).sanctions, []);
  assert.equal(change(form, 'kind', 'warning', templates).length_ms, null, 'a warning has no end');
});

test('newcomers of an address are slowed down beside the sanction, never without a violation', () => {
  const form = change(useTemplate(emptyForm('spam', 'en'), templates[1]), 'watch', true, templates);
  assert.deepEqual(bodyOf(form).sanctions, [{ on: 'person', kind: 'ban' }, { on: 'address', kind: 'watch', length_ms: 86_400_000 }]);
  assert.deepEqual(bodyOf(change(form, 'finding', 'no_violation', templates)).sanctions, []);
});

test('an appeal names what takes the place of the sanction, only where it is changed', () => {
  const form = { outcome: 'change', kind: 'warning', length_ms: null, note: ' n ', text: ' t ' };
  assert.deepEqual(appealBody(form), { outcome: 'change', sanction: { on: 'person', kind: 'warning' }, note: 'n', text: 't' });
  assert.deepEqual(appealBody({ ...form, outcome: 'uphold' }), { outcome: 'uphold', note: 'n', text: 't' });
  assert.equal(appealMissing(emptyAppeal), 'op.appeal.choose');
  const chosen = changeAppeal(emptyAppeal, 'outcome', 'change');
  assert.equal(appealMissing(chosen), 'op.appeal.needsText');
  assert.equal(changeAppeal(chosen, 'kind', 'mute').length_ms, 86_400_000, 'a kind that lasts has a length');
  assert.equal(changeAppeal(changeAppeal(chosen, 'kind', 'mute'), 'kind', 'warning').length_ms, null);
});

test('texts are in the language that the person wrote', () => {
  const entries = [{ side: 'a', kind: 'message', content: '你好' }, { side: 'b', kind: 'message', content: 'hello there' }, { side: 'b', kind: 'message', content: null }];
  assert.deepEqual(['a', 'b'].map((side) => languageOf(entries, side, 'x')), ['zh-TW', 'en']);
  assert.equal(languageOf([{ side: 'a', kind: 'message', content: '今日は寒いね' }], 'a', 'x'), 'ja');
  assert.equal(languageOf([], 'a', 'zh-TW'), 'zh-TW');
});

test('a case is covered for any of its reports, text by text', () => {
  assert.equal(coversTexts({ reason: 'harassment' }, [{ reason: 'spam' }]), false);
  assert.equal(coversTexts({ reason: 'harassment' }, [{ reason: 'sexual' }]), true);
  assert.equal(isCovered(false, covered, 'a'), false);
  const one = uncover(covered, 'a');
  assert.deepEqual(['a', 'b'].map((key) => isCovered(true, one, key)), [false, true]);
  assert.equal(isCovered(true, turnAll(one), 'b'), false);
  assert.equal(isCovered(true, turnAll(turnAll(one)), 'a'), true, 'covered again is covered all');
});

test('characters that hide or turn a text are shown and not written', () => {
  assert.deepEqual(partsOf('a\u202Eb'), [{ text: 'a' }, { mark: 'U+202E' }, { text: 'b' }]);
  for (const char of ['\u200B', '\u200E', '\u2066', '\u00AD', '\u0000', '\u3164', '\u2800', '\u{E0041}', '\uFEFF', '\u2028', '\uD800']) {
    const [part] = partsOf(char);
    assert.match(part.mark ?? '', /^U\+[0-9A-F]{4,5}$/, JSON.stringify(char));
  }
  for (const plain of ['你好，Anna', 'line\nbreak\ttab', '👨‍👩‍👧', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'e\u0301', 'שלום']) assert.deepEqual(partsOf(plain), [{ text: plain }]);
  assert.deepEqual(partsOf('a\u200Db').map((part) => part.mark ?? part.text), ['a', 'U+200D', 'b'], 'between letters it joins nothing');
  assert.deepEqual(partsOf(''), []);
});

test('a visitor’s words stand apart, as text, and below a cover not at all', () => {
  installPage();
  const words = said('<b>\u202Egpj.exe');
  assert.deepEqual([words.name, words.getAttribute('dir'), words.textContent], ['bdi', 'auto', '<b>U+202Egpj.exe']);
  const cover = saidOrCovered('secret words', true, () => {});
  assert.equal(cover.name, 'button');
  assert.ok(!cover.textContent.includes('secret'));
  assert.equal(saidOrCovered('secret words', false, () => {}).textContent, 'secret words');
});

test('the next case is free, and was not put aside', () => {
  const row = (id, more = {}) => ({ id, state: 'open', ...more });
  const rows = [row(1, { claim: { mine: false, until_ms: 50 } }), row(2, { state: 'escalated' }), row(3), row(4, { claim: { mine: true, until_ms: 50 } })];
  const next = (aside, role, moment) => nextOf(rows, new Set(aside), role, moment)?.id ?? null;
  assert.equal(next([], 'moderator', 0), 3);
  assert.equal(next([], 'administrator', 0), 2);
  assert.equal(next([3], 'moderator', 0), 4);
  assert.equal(next([3, 4], 'moderator', 0), null);
  assert.equal(next([3, 4], 'moderator', 50), 1, 'a claim that ran out');
});

test('j and k stay in the list', () => {
  assert.deepEqual([moved(-1, 1, 3), moved(-1, -1, 3), moved(2, 1, 3), moved(0, -1, 3), moved(0, 1, 0)], [0, 2, 2, 0, -1]);
});

test('what a row of the audit log is about is told in words', () => {
  const names = new Map([[2, 'Ken']]);
  assert.deepEqual(aboutOf('operator 2 disabled', names), ['Ken', { key: 'op.audit.disabled' }]);
  assert.deepEqual(aboutOf('operator 2: disabled', names), ['Ken', { key: 'op.audit.disabled' }]);
  assert.deepEqual(aboutOf('operator 2: second factor off', names), ['Ken', { key: 'op.totp.off' }]);
  assert.deepEqual(aboutOf('operator 2', names), ['Ken']);
  assert.deepEqual(aboutOf('operator 2 no second factor', names), ['Ken', { key: 'op.totp.off' }]);
  assert.deepEqual(aboutOf('operator 9', names), ['operator 9'], 'of whom nothing is known');
  assert.deepEqual(aboutOf('minor', names), [{ key: 'op.reason.minor' }]);
  assert.deepEqual(aboutOf('365 days', names), [{ key: 'op.hold.year' }]);
  assert.deepEqual(aboutOf('3 reports', names), [{ key: 'op.case.reports', values: { n: 3 } }]);
  assert.deepEqual(aboutOf('broadcast taken back', names), [{ key: 'op.audit.broadcast' }, { key: 'op.audit.takenBack' }]);
  assert.deepEqual(aboutOf('sha256 ab12', names), ['sha256 ab12']);
  assert.deepEqual(aboutOf('', names), []);
});

test('the address says where in the console one is', () => {
  for (const view of places) assert.deepEqual(parseRoute(hashOf({ view })), { view });
  assert.deepEqual(parseRoute(hashOf({ view: 'case', id: 12 })), { view: 'case', id: 12 });
  assert.deepEqual(parseRoute('#setup=aB3_-x'), { view: 'setup', token: 'aB3_-x' });
  for (const odd of ['', '#', '#/nothing', '#/case/0', '#/case/1e3', '#setup=', '#setup=<x>']) assert.deepEqual(parseRoute(odd), { view: 'queue' }, odd);
  assert.ok(!placesOf('moderator').includes('audit') && placesOf('administrator').includes('audit'));
});

const languages = readdirSync(join(root, 'assets/console')).map((name) => name.replace(/\.json$/, ''));
const catalogues = Object.fromEntries(languages.map((language) => [language, JSON.parse(readFileSync(join(root, 'assets/console', `${language}.json`), 'utf8'))]));
const keys = Object.keys(catalogues.en);
const text = [...sources('assets/js/admin'), ...sources('assets/html', /admin\.html$/)].map((file) => file.text).join('\n');

test('the console speaks Chinese and English, the same texts with the same values', () => {
  assert.deepEqual(languages.sort(), ['en', 'zh-TW']);
  const names = (value) => [...new Set([...value.matchAll(/\{(\w+)/g)].map((match) => match[1]))].sort();
  assert.deepEqual(Object.keys(catalogues['zh-TW']), keys);
  for (const language of languages) {
    for (const key of keys) {
      assert.ok(key.startsWith('op.') && catalogues[language][key].trim(), `${key} in ${language}`);
      assert.deepEqual(names(catalogues[language][key]), names(catalogues.en[key]), `${key} in ${language}`);
    }
  }
});

test('each of its texts is used, and each that is used is there', () => {
  const built = [...text.matchAll(/`(op\.[\w.]*)\$\{/g)].map(([, prefix]) => prefix);
  for (const key of keys) assert.ok(text.includes(`'${key}'`) || text.includes(`"${key}"`) || built.some((prefix) => key.startsWith(prefix)), `${key} is not used`);
  const used = [...[...text.matchAll(/'(op\.[\w.-]+[\w-])'/g)].map(([, key]) => key), ...[...text.matchAll(/data-i18n[a-z-]*="([^"]+)"/g)].map(([, key]) => key)];
  for (const key of used) assert.ok(key in catalogues.en || key in general.en, `${key} is missing`);
  for (const view of ['queue', 'closed', 'case']) for (const [, command] of keysOf(view)) assert.ok(`op.key.${command.replace(/-\d$/, '')}` in catalogues.en, command);
  assert.ok(used.length > 200);
});

test('what two administrators changed at once is put together, and one\'s own words stay', () => {
  const base = [{ id: 'a', rule: 'spam', texts: { en: 'one', ja: 'ichi' } }, { id: 'b', texts: { en: 'two' } }];
  const theirs = [{ id: 'b', texts: { en: 'two, said better' } }, { id: 'a', rule: 'other', texts: { en: 'their one', ja: 'ichi' } }];
  const mine = [{ id: 'a', rule: 'spam', texts: { en: 'my one', ja: 'ichi' } }, { id: 'b', texts: { en: 'two', ja: 'ni' } }];
  assert.deepEqual(mergeTemplates(base, theirs, mine), [
    { id: 'b', texts: { en: 'two, said better', ja: 'ni' } },
    { id: 'a', rule: 'other', texts: { en: 'my one', ja: 'ichi' } },
  ]);
  assert.deepEqual(mergeTemplates(base, theirs, base), theirs, 'nothing was typed');
  assert.deepEqual(mergeTemplates(base, base, mine), mine, 'nothing was changed meanwhile');
  const without = [{ id: 'a', rule: 'spam', sanction: { kind: 'mute' } }];
  assert.deepEqual(mergeTemplates(without, without, [{ id: 'a', rule: 'spam' }]), [{ id: 'a', rule: 'spam' }], 'what is taken away is away');
  const changed = mergeTemplates(base, theirs, mine);
  changed[0].texts.en = 'typed';
  assert.equal(theirs[0].texts.en, 'two, said better', 'a copy');
});
