import { stat } from 'node:fs/promises';
import { isAtLeast } from './versions.js';
import type { Target } from '../place/target.js';
import { type Finding, fail, ok, warn } from './finding.js';

const NODE_MIN = [20, 19, 0];
/** Anything that lets somebody besides the owner in. */
const OTHERS_MODE = 0o077;

export function checkNode(version: string): Finding {
  if (isAtLeast(version, NODE_MIN)) return ok('node', version);
  return fail('node', `${version} is too old`, `Install Node ${NODE_MIN.join('.')} or newer.`);
}

/** Keys stand in connection.json and in the contexts: only their owner may read them. */
export async function checkConnection(target: Target): Promise<Finding> {
  const { source, file } = target;
  if (file === undefined) return ok('connection', `from ${source}`);
  const { mode, uid } = await stat(file);
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  if (process.getuid && process.getuid() !== 0 && uid !== process.getuid()) {
    return warn('connection', `${file} belongs to somebody else`, 'Use a key of your own.');
  }
  if ((mode & OTHERS_MODE) === 0) return ok('connection', `${source}, mode ${bits}`);
  return warn(
    'connection',
    `others may read the key in ${file} (mode ${bits})`,
    `chmod 600 ${file}`,
  );
}
