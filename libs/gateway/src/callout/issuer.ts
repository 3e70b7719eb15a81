import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { fromSeed, type KeyPair } from '@nats-io/nkeys';

/** What precedes the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** A seed decodes to two bytes of prefix, the key, and two bytes of checksum. */
const SEED_KEY_AT = 2;
const KEY_BYTES = 32;

/**
 * The account key that signs the callout's answers. Signs with OpenSSL, in 0.05 ms: the key pairs
 * of @nats-io/nkeys are JavaScript and take 18 ms a signature, so that agents which all reconnect
 * at once would run out of the server's patience (4 s).
 * @param seed an account seed, `SA…`
 */
export function issuerFrom(seed: string): KeyPair {
  const checked = fromSeed(Buffer.from(seed));
  const publicKey = checked.getPublicKey();
  if (!publicKey.startsWith('A')) {
    throw new Error('ATHENA_NATS_CALLOUT_SEED is not the seed of an account (SA…)');
  }
  const privateKey = checked.getPrivateKey();
  const signing = signingKey(seed);
  return {
    getPublicKey: () => publicKey,
    getPrivateKey: () => privateKey,
    getSeed: () => checked.getSeed(),
    sign: (input) => sign(null, input, signing),
    verify: (input, signature) => checked.verify(input, signature),
    clear: () => checked.clear(),
    seal: (input, recipient, nonce) => checked.seal(input, recipient, nonce),
    open: (message, sender) => checked.open(message, sender),
  };
}

function signingKey(seed: string): KeyObject {
  const key = Buffer.concat([
    PKCS8_ED25519,
    decodeBase32(seed).subarray(SEED_KEY_AT, SEED_KEY_AT + KEY_BYTES),
  ]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function decodeBase32(text: string): Buffer {
  const bytes: number[] = [];
  let value = 0;
  let bits = 0;
  for (const letter of text) {
    value = ((value << 5) | BASE32.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}
