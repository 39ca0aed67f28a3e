// The picture of a link is what its script draws.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { colourAt, height, width } from '../../scripts/draw-share-picture.mjs';

/** The pixels of a PNG as our script writes it: 8-bit RGB, one chunk, filters 1 to 3. */
function pixelsOf(png) {
  assert.equal(png.readUInt32BE(16), width);
  assert.equal(png.readUInt32BE(20), height);
  const length = png.readUInt32BE(33);
  assert.equal(png.subarray(37, 41).toString('latin1'), 'IDAT');
  const data = inflateSync(png.subarray(41, 41 + length));
  const stride = width * 3;
  const pixels = new Uint8Array(stride * height);
  for (let row = 0; row < height; row += 1) {
    const filter = data[row * (stride + 1)];
    for (let at = 0; at < stride; at += 1) {
      const before = at < 3 ? 0 : pixels[row * stride + at - 3];
      const above = row === 0 ? 0 : pixels[(row - 1) * stride + at];
      const guess = [0, before, above, (before + above) >> 1][filter];
      pixels[row * stride + at] = data[row * (stride + 1) + 1 + at] + guess;
    }
  }
  return pixels;
}

test('the picture of a link is what its script draws', () => {
  const pixels = pixelsOf(readFileSync(new URL('../../assets/images/share.png', import.meta.url)));
  for (let row = 3; row < height; row += 37) {
    for (let column = 5; column < width; column += 41) {
      const at = (row * width + column) * 3;
      assert.deepEqual([...pixels.subarray(at, at + 3)], colourAt(column, row), `${column},${row}`);
    }
  }
});
