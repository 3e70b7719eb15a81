import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';

// An account key pair in the encoding of NATS: base32 of prefix, key and CRC-16/XMODEM, as in
// https://github.com/nats-io/nkeys. Written here because the stack runs before any install.
const PREFIX_SEED = 18 << 3;
const PREFIX_ACCOUNT = 0;
const KEY_BYTES = 32;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
// What precedes the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410).
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @returns {string} A new account seed (`SA…`). */
export function createAccountSeed() {
  // The seed's two prefixes share its first two bytes: five bits each, then padding.
  const prefix = [PREFIX_SEED | (PREFIX_ACCOUNT >> 5), (PREFIX_ACCOUNT & 31) << 3];
  return encode(Buffer.concat([Buffer.from(prefix), randomBytes(KEY_BYTES)]));
}

/**
 * @param {string} seed An account seed.
 * @returns {string} Its public key (`A…`).
 * @throws When the text is no account seed.
 */
export function accountPublicKey(seed) {
  const raw = decode(seed);
  const isAccount = raw.length === 2 + KEY_BYTES && (raw[0] ?? 0) === PREFIX_SEED && raw[1] === 0;
  if (!isAccount) throw new Error('not an account seed: expected 58 characters that start with SA');
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, raw.subarray(2)]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return encode(Buffer.concat([Buffer.from([PREFIX_ACCOUNT]), spki.subarray(-KEY_BYTES)]));
}

/** @param {Buffer} payload @returns {string} */
function encode(payload) {
  const checksum = crc16(payload);
  const bytes = Buffer.concat([payload, Buffer.from([checksum & 0xff, checksum >> 8])]);
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text;
}

/** @param {string} text @returns {Buffer} The payload, once its checksum is verified. */
function decode(text) {
  const bytes = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) throw new Error('not an nkey: unexpected character');
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
    value &= (1 << bits) - 1;
  }
  const payload = Buffer.from(bytes.slice(0, -2));
  const checksum = (bytes.at(-2) ?? 0) | ((bytes.at(-1) ?? 0) << 8);
  if (crc16(payload) !== checksum) throw new Error('not an nkey: the checksum does not fit');
  return payload;
}

/** @param {Buffer} bytes @returns {number} CRC-16/XMODEM. */
function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
  }
  return crc;
}
