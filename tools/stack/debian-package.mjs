import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, run } from './programs.mjs';

// Newer suites than the machine's own; their packages of Go programs run on older releases.
const SUITES = ['forky', 'testing', 'sid'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const REQUIRED_PROGRAMS = ['apt-get', 'dpkg-deb'];
const UPDATE_MS_MAX = 180_000;
const DOWNLOAD_MS_MAX = 180_000;

/**
 * Downloads a package from a newer Debian suite and unpacks it, without root and without touching
 * the machine's own package lists. The mirror is the machine's, the signatures are verified.
 * @param {{ name: string, into: string, report: (line: string) => void,
 *   signal: AbortSignal | undefined }} wanted `into`: an existing folder that gets the files.
 * @returns {Promise<void>}
 * @throws With the reason when this is no Debian, or no suite gave the package.
 */
export async function unpackDebianPackage({ name, into, report, signal }) {
  await requireDebian();
  const failures = [];
  for (const mirror of await ownMirrors()) {
    for (const suite of SUITES) {
      try {
        report(`asking this machine's Debian mirror for ${name} in ${suite}`);
        await unpackFrom({ name, into, mirror, suite, signal });
        return;
      } catch (error) {
        signal?.throwIfAborted();
        failures.push(`${suite}: ${/** @type {Error} */ (error).message}`);
      }
    }
  }
  throw new Error(failures.join('; ') || "this machine's apt sources name no Debian mirror");
}

async function requireDebian() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID=["']?debian["']?$/m.test(release)) throw new Error('this machine is not a Debian');
  for (const program of REQUIRED_PROGRAMS) {
    if ((await findOnPath(program)) === null) throw new Error(`${program} is not installed`);
  }
  await readFile(KEYRING).catch(() => {
    throw new Error(`${KEYRING} is missing (package debian-archive-keyring)`);
  });
}

/** @returns {Promise<string[]>} Base addresses of main archives in the machine's apt sources. */
async function ownMirrors() {
  const format = '$(CREATED_BY) $(REPO_URI) $(COMPONENT)';
  const targets = await run('apt-get', ['indextargets', '--format', format]);
  return mirrorsAmong(targets);
}

/**
 * @param {string} targets Lines `<kind> <address> <component>`.
 * @returns {string[]} Without security, backports and foreign archives: they are kept elsewhere.
 */
export function mirrorsAmong(targets) {
  const mirrors = new Set();
  for (const line of targets.split('\n')) {
    const [kind, address, component] = line.trim().split(/\s+/);
    if (kind !== 'Packages' || component !== 'main' || address === undefined) continue;
    if (/\/debian(\.list)?\/?$/.test(address)) mirrors.add(address);
  }
  return [...mirrors];
}

/**
 * @param {{ name: string, into: string, mirror: string, suite: string,
 *   signal: AbortSignal | undefined }} source
 */
async function unpackFrom({ name, into, mirror, suite, signal }) {
  const room = await mkdtemp(join(tmpdir(), 'athena-apt-'));
  try {
    const config = await writeAptConfig({ room, mirror, suite });
    const options = { cwd: room, env: { ...process.env, LC_ALL: 'C' }, signal };
    await run('apt-get', ['-c', config, '-q', 'update'], { ...options, timeoutMs: UPDATE_MS_MAX });
    await run('apt-get', ['-c', config, '-q', 'download', name], {
      ...options,
      timeoutMs: DOWNLOAD_MS_MAX,
    });
    const archive = (await readdir(room)).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get downloaded no package ${name}`);
    await run('dpkg-deb', ['-x', join(room, archive), into]);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}

/**
 * @param {{ room: string, mirror: string, suite: string }} source
 * @returns {Promise<string>} A configuration that is read after the machine's own, so that its
 *   proxies and credentials still count, and that keeps lists, caches and hooks out of the system.
 */
async function writeAptConfig({ room, mirror, suite }) {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(room, folder), { recursive: true });
  }
  await writeFile(join(room, 'status'), '');
  const sources = join(room, 'athena.sources');
  await writeFile(
    sources,
    `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\n` +
      `Signed-By: ${KEYRING}\nTargets: Packages\n`,
  );
  const config = join(room, 'apt.conf');
  await writeFile(
    config,
    [
      '#clear APT::Update::Pre-Invoke;',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      `Dir::State "${room}/state";`,
      `Dir::State::status "${room}/status";`,
      `Dir::Cache "${room}/cache";`,
      `Dir::Etc::SourceList "${sources}";`,
      'Dir::Etc::SourceParts "-";',
      'Dir::Etc::Preferences "-";',
      'Dir::Etc::PreferencesParts "-";',
      'Acquire::Languages "none";',
      'Acquire::AllowInsecureRepositories "false";',
      'APT::Get::AllowUnauthenticated "false";',
      'APT::Sandbox::User "root";',
      '',
    ].join('\n'),
  );
  return config;
}
