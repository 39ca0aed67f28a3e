// What a translator has made of our words stays until our words change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage, around, t } from '../../assets/js/lib/i18n.js';
import { sources } from './sources.mjs';
import { FakeElement, installPage } from './page.mjs';
import './words.mjs';

installPage();
const { el, setCounting, setText } = await import('../../assets/js/lib/dom.js');

/** As Chrome does it: each text becomes an element with other words in it. */
function translated(node) {
  for (const child of [...node.childNodes]) {
    if (child.getAttribute?.('translate') === 'no' || child.textContent === '') continue;
    if (child instanceof FakeElement) {
      translated(child);
      continue;
    }
    const font = new FakeElement('font');
    font.append(`XX ${child.textContent}`);
    node.insertBefore(font, child);
    child.remove();
  }
}

test('the same text again is not written again, another one is', () => {
  for (const node of [el('p', {}, 'hello'), new FakeElement('p')]) {
    setText(node, 'hello');
    translated(node);
    setText(node, 'hello');
    assert.equal(node.textContent, 'XX hello');
    setText(node, 'bye');
    assert.equal(node.textContent, 'bye');
    setText(node, 'hello');
    assert.equal(node.textContent, 'hello');
  }
});

test('in a sentence that counts only the number is written again', () => {
  setLanguage('en');
  const node = new FakeElement('p');
  setCounting(node, around('partner.awayShort', 't'), '4:12');
  assert.equal(node.textContent, t('partner.awayShort', { t: '4:12' }));
  translated(node);
  const words = node.descendants();
  setCounting(node, around('partner.awayShort', 't'), '4:11');
  assert.equal(node.textContent, 'XX Offline. Ends in 4:11');
  assert.ok(words.slice(0, 3).every((part) => node.contains(part)));
  setText(node, 'Online');
  setCounting(node, around('partner.awayShort', 't'), '4:10');
  assert.equal(node.textContent, 'Offline. Ends in 4:10');
});

test('a sentence is cut at its number, and the number still picks the word', () => {
  setLanguage('en');
  for (const n of [1, 2]) assert.equal(around('chat.newMessages', 'n', { n }).join(String(n)), t('chat.newMessages', { n }));
  assert.deepEqual(around('match.tags', 's', { tags: 'Music', s: 9 }), ['First someone who likes Music and speaks English too. Anyone in ', ' s.']);
});

test('texts are set in one file, which remembers them', () => {
  const sets = sources('assets/js', /\.js$/).filter(({ text }) => /\b(textContent|innerText|nodeValue|data)\s*=[^=>]/.test(text.replace(/\/\/.*$/gm, '')));
  assert.deepEqual(sets.map(({ path }) => path), ['assets/js/lib/dom.js']);
});
