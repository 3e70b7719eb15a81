import { formatVersion, isAtLeast, parseVersion } from './versions.mjs';

/**
 * @param {string} running Such as `20.20.2`.
 * @param {string} wanted The engines field: `>=20.19`.
 * @returns {string | null} What to tell the person, or null when the version does.
 */
export function nodeVersionProblem(running, wanted) {
  const [have, minimum] = [parseVersion(running), parseVersion(wanted)];
  if (have === null || minimum === null) return `cannot compare Node ${running} with ${wanted}`;
  if (isAtLeast(have, minimum)) return null;
  return `Node ${formatVersion(minimum)} or newer is needed, this is ${running}. Install a newer one`;
}
