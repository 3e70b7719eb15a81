import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * API keys read `ak_<keyId>_<secret>`. The id names the key; the secret proves it. Secrets have
 * 190 bits of chance, so a plain SHA-256 of them can't be searched and needs no slow hash.
 */
export const KEY_ID_LENGTH = 12;
export const KEY_SECRET_LENGTH = 32;
/** Random bytes that `newApiKey` needs: twice the characters, as about 3 % are passed over. */
export const KEY_RANDOM_BYTES = 2 * (KEY_ID_LENGTH + KEY_SECRET_LENGTH);

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = new RegExp(`^ak_([0-9A-Za-z]{${KEY_ID_LENGTH}})_([0-9A-Za-z]{${KEY_SECRET_LENGTH}})$`);
/** Bytes from here up would make the first letters of the alphabet likelier than the last. */
const UNBIASED_BELOW = 256 - (256 % BASE62.length);

export interface ApiKey {
  readonly keyId: string;
  readonly secret: string;
}

/** The two parts of a key's text; null where it has not the form of a key. */
export function parseApiKey(text: string): ApiKey | null {
  const [, keyId, secret] = FORM.exec(text) ?? [];
  return keyId !== undefined && secret !== undefined ? { keyId, secret } : null;
}

export const formatApiKey = ({ keyId, secret }: ApiKey): string => `ak_${keyId}_${secret}`;

/** A new key from KEY_RANDOM_BYTES of chance. */
export function newApiKey(random: Uint8Array): ApiKey {
  const letters = [...random]
    .filter((byte) => byte < UNBIASED_BELOW)
    .map((byte) => BASE62[byte % BASE62.length])
    .join('');
  const secretEnd = KEY_ID_LENGTH + KEY_SECRET_LENGTH;
  if (letters.length < secretEnd) throw new RangeError('too little chance for an API key');
  return {
    keyId: letters.slice(0, KEY_ID_LENGTH),
    secret: letters.slice(KEY_ID_LENGTH, secretEnd),
  };
}

/** What is stored of a secret: its SHA-256 in hex. */
export const hashSecret = (secret: string): string =>
  createHash('sha256').update(secret).digest('hex');

/** Compares hashes in a time that does not depend on where they differ. */
export function secretMatches(secret: string, secretHash: string): boolean {
  const given = createHash('sha256').update(secret).digest();
  const stored = Buffer.from(secretHash, 'hex');
  return stored.length === given.length && timingSafeEqual(given, stored);
}
