// A browser's part in a call, by another implementation than the server's (http_ece):
// makes the keys of a subscription, and opens what was encrypted for them.
//
//   node browser.mjs keys                        {"p256dh", "auth", "private"}
//   node browser.mjs open ECE < {"private", "auth", "body"}     its words
//
// All values are base64url; ECE is the path of http_ece.

import { createECDH, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const curve = createECDH('prime256v1');
const text = (bytes) => bytes.toString('base64url');
const bytes = (from) => Buffer.from(from, 'base64url');

if (process.argv[2] === 'keys') {
  const p256dh = text(curve.generateKeys());
  console.log(JSON.stringify({ p256dh, auth: text(randomBytes(16)), private: text(curve.getPrivateKey()) }));
} else {
  const ece = createRequire(import.meta.url)(process.argv[3]);
  const given = JSON.parse(readFileSync(0, 'utf8'));
  curve.setPrivateKey(bytes(given.private));
  const opened = ece.decrypt(bytes(given.body), { version: 'aes128gcm', privateKey: curve, authSecret: given.auth });
  console.log(opened.toString('utf8'));
}
