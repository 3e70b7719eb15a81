/** @typedef {readonly [major: number, minor: number, patch: number]} Version */

/**
 * Finds the first version number in a text such as `nats-server: v2.15.1` or `postgres (X) 15.18`.
 * @param {string} text
 * @returns {Version | null} Missing parts are 0.
 */
export function parseVersion(text) {
  const match = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)] : null;
}

/** @param {Version} version @param {Version} minimum @returns {boolean} */
export function isAtLeast(version, minimum) {
  for (let part = 0; part < 3; part += 1) {
    const difference = (version[part] ?? 0) - (minimum[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** @param {Version} version @returns {string} */
export function formatVersion(version) {
  return version.join('.');
}
