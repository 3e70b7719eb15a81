import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { readJson, replaceJson } from './files.mjs';
import { createAccountSeed } from './nkeys.mjs';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PASSWORD_CHARACTERS = 32;
const KEY_ID_CHARACTERS = 12;
const KEY_SECRET_CHARACTERS = 32;

/**
 * @typedef {object} Secrets
 * @property {string} natsPassword Of NATS user `core`.
 * @property {string} natsSysPassword Of NATS user `sys`.
 * @property {string} natsCalloutPassword Of NATS user `callout`.
 * @property {string} natsCalloutSeed Account seed that signs the callout's answers.
 * @property {string} postgresPassword Of the Postgres role `athena`.
 * @property {string} bootstrapKey API key of project `default`: `ak_<id>_<secret>`.
 */

/**
 * The secrets of one data folder: made at its first start, kept in `secrets.json` (mode 0600).
 * @param {string} dataDir
 * @returns {Promise<Secrets>}
 */
export async function loadSecrets(dataDir) {
  const path = join(dataDir, 'secrets.json');
  const known = (await readJson(path)) ?? {};
  const secrets = { ...createSecrets(), ...known };
  if (Object.keys(secrets).length !== Object.keys(known).length) await replaceJson(path, secrets);
  return secrets;
}

/** @returns {Secrets} */
export function createSecrets() {
  return {
    natsPassword: createPassword(),
    natsSysPassword: createPassword(),
    natsCalloutPassword: createPassword(),
    natsCalloutSeed: createAccountSeed(),
    postgresPassword: createPassword(),
    bootstrapKey: `ak_${randomText(KEY_ID_CHARACTERS)}_${randomText(KEY_SECRET_CHARACTERS)}`,
  };
}

/**
 * @returns {string} Starts with a letter, because nats-server would read digits first as a
 * number.
 */
function createPassword() {
  return `p${randomText(PASSWORD_CHARACTERS)}`;
}

/** @param {number} length @returns {string} */
function randomText(length) {
  return Array.from({ length }, () => BASE62[randomInt(BASE62.length)]).join('');
}
