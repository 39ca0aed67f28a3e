// What the content policy and the structure of the tree forbid, read from the
// files themselves: markup from strings, inline code, arrows that point out.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { root, sources } from './sources.mjs';

const scripts = sources('assets/js', /\.js$/);
const pages = sources('assets/html', /\.html$/);

test('each file opens with what it is', () => {
  for (const { path, text } of scripts) assert.match(text, /^\/\/ \S/, path);
  for (const { path, text } of sources('assets/css', /\.css$/)) assert.match(text, /^\/\* \S/, path);
});

test('comments name who they speak of', () => {
  const vague = /\b(whoever|whom|somebody|nobody|everybody|anybody|themself)\b/i;
  const comments = { js: /\/\*[\s\S]*?\*\/|\/\/.*$/gm, mjs: /\/\*[\s\S]*?\*\/|\/\/.*$/gm, css: /\/\*[\s\S]*?\*\//g, html: /<!--[\s\S]*?-->/g, yml: /#.*$/gm };
  const files = [...sources('assets', /\.(js|css|html)$/), ...sources('tests/js', /\.mjs$/), ...sources('.github', /\.yml$/), ...sources('scripts', /\/[\w.-]+$/)];
  for (const { path, text } of files) {
    const kind = comments[path.split('.').at(-1)] ?? /^\s*#.*$/gm;
    for (const comment of text.match(kind) ?? []) assert.doesNotMatch(comment, vague, path);
  }
});

test('text never becomes markup or code', () => {
  for (const { path, text } of scripts) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function/, path);
  }
});

test('pages have no inline script, style or handler, and no other origin', () => {
  for (const { path, text } of pages) {
    // Data is no script: it is never run.
    assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)(?! type="application\/json" )/, path);
    assert.doesNotMatch(text, /\sstyle=|<style|\son[a-z]+=/, path);
    assert.doesNotMatch(text, /https?:\/\//, path);
  }
});

test('each file a page names is there', () => {
  for (const { path, text } of pages) {
    for (const [, name] of text.matchAll(/\{\{base\}\}\/((?:js|css)\/[^"]+)"/g)) {
      assert.ok(existsSync(join(root, 'assets', name)), `${path} names ${name}`);
    }
  }
});

test('each module a page loads is preloaded, so that nothing waterfalls', () => {
  const imports = (file) => {
    const text = scripts.find(({ path }) => path === file)?.text ?? '';
    return [...text.matchAll(/from '(\.[^']+)'/g)].map(([, to]) => normalize(join(dirname(file), to)));
  };
  for (const { path, text } of pages) {
    const entry = text.match(/type="module" src="\{\{base\}\}\/([^"]+)"/)[1];
    const seen = new Set();
    const walk = (file) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const next of imports(file)) {
        assert.ok(existsSync(join(root, next)), `${file} imports ${next}`);
        walk(next);
      }
    };
    walk(`assets/${entry}`);
    const preloaded = new Set([...text.matchAll(/modulepreload" href="\{\{base\}\}\/([^"]+)"/g)].map(([, name]) => `assets/${name}`));
    for (const file of seen) if (file !== `assets/${entry}`) assert.ok(preloaded.has(file), `${path} does not preload ${file}`);
    for (const file of preloaded) assert.ok(seen.has(file), `${path} preloads ${file} for nothing`);
  }
});

test('styles say where lines begin and end, so that a language from right to left is the mirror', () => {
  // What is in the middle is there from both sides, and tokens.css says which side is which.
  const physical = /\b(?:left|right)\b(?!: (?:50%|calc\(50% \+ [^;]*--mirror))/;
  const four = /\b(?:padding|margin|inset|border-width): ((?:calc\((?:[^()]|\([^()]*\))*\)|[^\s;()]+)(?: |;)){4}/g;
  for (const { path, text } of sources('assets/css', /\.css$/)) {
    const rules = text.replace(/\/\*[\s\S]*?\*\//g, '');
    if (!path.endsWith('tokens.css')) assert.doesNotMatch(rules, physical, path);
    for (const [sides] of rules.matchAll(four)) {
      // The margin that centres a lamp, from the side that `left: 50%` names.
      assert.match(sides, /^margin: calc\(var\(--u\)/, `${path}: ${sides}`);
    }
  }
});

test('model is pure: no page, no clock, no network, and nothing from outside', () => {
  for (const { path, text } of scripts.filter((file) => file.path.includes('/model/'))) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    assert.doesNotMatch(code, /\bdocument\b|\bwindow\b|Date\.now|new Date\(\)|setTimeout|fetch\(|WebSocket|localStorage|Math\.random/, path);
    assert.doesNotMatch(code, /from '\.\.\/(ui|net|pages)\//, path);
  }
});

test('a name of a person or of the site enters a sentence through the catalogue only', () => {
  // What a template glues together is not kept in its place (lib/bidi.js).
  for (const { path, text } of scripts.filter((file) => /\/(ui|pages)\//.test(file.path))) {
    assert.doesNotMatch(text, /`[^`\n]*\$\{[^}`]*(nickname|site\.name|partnerName|\.content)\b[^}`]*\}[^`\n]*`/, path);
    assert.doesNotMatch(text, /(nickname|site\.name|partnerName|\.content) *\+ *['"`]|['"`] *\+ *[\w.]*(nickname|site\.name|partnerName|\.content)\b/, path);
  }
});

test('one file asks a clock, for the device may be wrong about the time', () => {
  const asks = /\bDate\.now\b|new Date\(\)|\bDate\(\)|\bperformance\.now\b|\btimeOrigin\b/;
  const asking = scripts.filter(({ text }) => asks.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))).map(({ path }) => path);
  assert.deepEqual(asking, ['assets/js/lib/time.js']);
});

test('what checks the pages is pinned, and no part of them', () => {
  const read = (name) => JSON.parse(readFileSync(join(root, 'tests/js/tools', name), 'utf8'));
  const wanted = Object.entries(read('package.json').devDependencies);
  const { packages } = read('package-lock.json');
  assert.ok(wanted.length >= 3);
  for (const [name, version] of wanted) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name}: one version, not a range`);
    assert.equal(packages[`node_modules/${name}`].version, version, name);
  }
  for (const [name, { integrity }] of Object.entries(packages)) if (name) assert.match(integrity ?? '', /^sha512-/, name);
  const texts = /^assets\/(words|starters|console)\/[\w-]+\.json$/;
  assert.deepEqual(sources('assets', /node_modules|\.(json|mjs|ts)$/).map(({ path }) => path).filter((path) => !texts.test(path)), []);
});

test('an exception from a lint is for one line and says why', () => {
  for (const { path, text } of [...scripts, ...sources('tests/js', /\.mjs$/)]) {
    for (const [exception] of text.matchAll(/(?:eslint-(?:disable|enable)|@ts-).*$/gm)) {
      if (path !== 'tests/js/tidy.test.mjs') assert.match(exception, /^(eslint-disable-next-line [\w-]+|@ts-expect-error) -- .{10}/, `${path}: ${exception}`);
    }
  }
});

test('colours are named in one file only', () => {
  for (const { path, text } of sources('assets/css', /\.css$/)) {
    if (!path.endsWith('tokens.css')) assert.doesNotMatch(text, /#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(/i, path);
  }
});

const tokens = sources('assets/css', /tokens\.css$/)[0].text;
const colours = (block) => Object.fromEntries([...block.matchAll(/--c-([\w-]+): (#\w+);/g)].map(([, name, value]) => [name, value]));
const [light, systemDark, chosenDark] = tokens.split(/\n\}\n/).map(colours);

test('dark is the same whether the system or the person chose it', () => {
  assert.ok(Object.keys(chosenDark).length > 15);
  assert.deepEqual(systemDark, chosenDark);
});

function luminance(hex) {
  const channels = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r, g, b] = channels.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [bright, dim] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (bright + 0.05) / (dim + 0.05);
}

test('words and borders stand out enough from what is behind them', () => {
  const text = ['ink/fog', 'ink/surface', 'ink-2/fog', 'ink-2/surface', 'ink-2/sunk', 'on-jade/jade', 'ink-2/theirs', 'on-lamp/lamp', 'lamp-ink/fog', 'lamp-ink/surface', 'jade/surface', 'danger/surface', 'on-danger/danger'];
  const shapes = ['edge/fog', 'edge/surface', 'edge/sunk', 'focus/surface', 'focus/fog'];
  for (const theme of [light, { ...light, ...chosenDark }]) {
    const ratio = (pair) => contrast(...pair.split('/').map((name) => theme[name]));
    // A partner's words are what is read most.
    for (const pair of ['ink/theirs', 'on-mine/mine']) assert.ok(ratio(pair) >= 6.9, `${pair} ${ratio(pair)}`);
    assert.ok(ratio('ink/theirs') >= 7);
    for (const pair of text) assert.ok(ratio(pair) >= 4.5, `${pair} ${ratio(pair)}`);
    for (const pair of shapes) assert.ok(ratio(pair) >= 3, `${pair} ${ratio(pair)}`);
  }
});
