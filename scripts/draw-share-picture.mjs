// Draws assets/images/share.png, the picture that a link to a site has in a chat or a feed: our mark in the
// fog, at night. 1200×630, without words, so that it is the same for every site and language.
//
//   node scripts/draw-share-picture.mjs [FILE]
//
// Each pixel is computed, and nothing but Node.js is needed. There is no noise in it, so that the PNG stays near
// 120 kB: messengers leave out a picture that is large or takes them too long to fetch.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

export const width = 1200;
export const height = 630;

// The colours of the dark theme (assets/css/tokens.css).
const night = rgb('#0C1618');
const dusk = rgb('#132629');
const jade = rgb('#6CD0C0');
const lamp = rgb('#FFBE5C');
const warm = rgb('#FFD798');
const deep = rgb('#165B55');
const ember = rgb('#8A5A1E');
const fog = rgb('#22383D');

/** One unit of the mark (its box is 34 × 24) in pixels. */
const unit = 11;
const centre = { x: width / 2, y: 300 };
const mine = { x: centre.x - 6 * unit, y: centre.y };
const theirs = { x: centre.x + 6 * unit, y: centre.y };
const radius = 8.8 * unit;
const ring = { radius: 7.6 * unit, half: 1.2 * unit };

/** Banks of fog, from back to front: centre, half axes, and how thick. */
const behind = [
  { x: 250, y: 190, a: 620, b: 150, thick: 0.55 },
  { x: 1010, y: 120, a: 560, b: 120, thick: 0.35 },
];
const before = [
  { x: 330, y: 505, a: 760, b: 130, thick: 0.85 },
  { x: 960, y: 585, a: 700, b: 150, thick: 0.9 },
];

function rgb(hex) {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

const clamp = (value) => Math.min(1, Math.max(0, value));

/** Goes from 1 to 0 between 0 and 1, gently at both ends. */
const fade = (t) => {
  const rest = 1 - clamp(t);
  return rest * rest * (3 - 2 * rest);
};

/** Lays a colour over another. */
function over(under, colour, alpha) {
  for (let part = 0; part < 3; part += 1) under[part] += (colour[part] - under[part]) * alpha;
}

const distance = (x, y, to) => Math.hypot(x - to.x, y - to.y);

/** How much of a pixel lies inside, when its centre is so far inside the edge. */
const inside = (by) => clamp(by + 0.5);

/** Adds light, as a lamp does: two lights together are brighter than each, never muddy. */
function glow(pixel, x, y, of, colour, reach, strength) {
  const much = strength * fade(distance(x, y, of) / reach) ** 1.5;
  for (let part = 0; part < 3; part += 1) pixel[part] += (1 - pixel[part] / 255) * colour[part] * much;
}

function bank(pixel, x, y, { x: cx, y: cy, a, b, thick }) {
  over(pixel, fog, thick * fade(Math.hypot((x - cx) / a, (y - cy) / b)));
}

function mark(pixel, x, y) {
  const fromMine = distance(x, y, mine);
  const fromTheirs = distance(x, y, theirs);
  const disc = inside(radius - fromTheirs);
  // Their light is brightest in its middle.
  const light = lamp.map((part, index) => part + (warm[index] - part) * fade(fromTheirs / radius) * 0.8);
  over(pixel, light, disc);
  over(pixel, jade, disc * inside(radius - fromMine));
  over(pixel, jade, inside(ring.half - Math.abs(fromMine - ring.radius)));
}

/** The colour of one pixel, as three numbers from 0 to 255. */
export function colourAt(column, row) {
  const [x, y] = [column + 0.5, row + 0.5];
  const pixel = [...night];
  over(pixel, dusk, fade(1 - y / height));
  for (const one of behind) bank(pixel, x, y, one);
  glow(pixel, x, y, { x: mine.x - 120, y: mine.y + 30 }, deep, 460, 0.8);
  glow(pixel, x, y, { x: theirs.x + 130, y: theirs.y - 50 }, ember, 560, 0.72);
  mark(pixel, x, y);
  for (const one of before) bank(pixel, x, y, one);
  return pixel.map((part) => Math.round(Math.min(255, Math.max(0, part))));
}

function chunk(type, data) {
  const name = Buffer.from(type, 'latin1');
  const whole = Buffer.alloc(data.length + 12);
  whole.writeUInt32BE(data.length, 0);
  name.copy(whole, 4);
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, data.length + 8)), data.length + 8);
  return whole;
}

/** One row as PNG filters it: what it differs from the row above by, from the pixel before, or from both. */
function filtered(line, above) {
  const left = (at) => (at < 3 ? 0 : line[at - 3]);
  const ways = [
    [1, left],
    [2, (at) => above[at]],
    [3, (at) => (left(at) + above[at]) >> 1],
  ];
  const cost = (bytes) => bytes.reduce((sum, byte) => sum + Math.min(byte, 256 - byte), 0);
  return ways
    .map(([filter, guess]) => Uint8Array.from([filter, ...Array.from(line, (byte, at) => (byte - guess(at)) & 255)]))
    .reduce((best, next) => (cost(next) < cost(best) ? next : best));
}

/** The picture as a PNG file. */
export function draw() {
  const rows = [];
  let above = new Uint8Array(width * 3);
  for (let row = 0; row < height; row += 1) {
    const line = new Uint8Array(width * 3);
    for (let column = 0; column < width; column += 1) line.set(colourAt(column, row), column * 3);
    rows.push(filtered(line, above));
    above = line;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(Buffer.concat(rows), { level: 9, memLevel: 9 });
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? fileURLToPath(new URL('../assets/images/share.png', import.meta.url));
  writeFileSync(file, draw());
}
