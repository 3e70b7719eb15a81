import type { Arguments } from '../command/arguments.js';
import { type Command, CommandError, EXIT_FAILED, EXIT_OK } from '../command/command.js';
import { whereNats, whereTo } from '../command/global-flags.js';
import { type Target, findTarget } from '../place/target.js';
import { plain } from '../view/plain.js';
import { asJson } from '../view/view.js';
import type { World } from '../world.js';
import { type Finding, fail } from './finding.js';
import { checkGateway } from './gateway-checks.js';
import { checkConnection, checkNode } from './local-checks.js';
import { checkAgentLogin, checkOutsideNats, namesOutsideNats } from './nats-checks.js';

export const doctorCommand: Command = {
  path: ['doctor'],
  summary: 'Look for what is wrong: connection, gateway, key, NATS, clock, versions.',
  positionals: [],
  flags: [...whereTo, ...whereNats],
  notes: [
    'With NATS_URL and the ATHENA_NATS_… variables set, the NATS that services would be started\n' +
      'with is looked at too: logins and accounts, version, JetStream.\n' +
      'Exit status 1 where something fails; warnings don’t count.',
  ],
  async run(given, world) {
    const findings = await examine(given, world);
    if (given.isOn('json')) world.out(asJson({ findings }));
    else for (const finding of findings) world.out(line(finding));
    return findings.some(({ level }) => level === 'fail') ? EXIT_FAILED : EXIT_OK;
  },
};

async function examine(given: Arguments, world: World): Promise<Finding[]> {
  const outside = namesOutsideNats(world.env) ? await checkOutsideNats(world.env) : [];
  const platform = await examinePlatform(given, world);
  return [checkNode(process.versions.node), ...platform, ...outside];
}

async function examinePlatform(given: Arguments, world: World): Promise<Finding[]> {
  let target: Target;
  try {
    target = await findTarget(given, world);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [fail('connection', error.message, error.remedy)];
  }
  const connection = await checkConnection(target);
  const [gateway, nats] = await Promise.all([checkGateway(target), checkAgentLogin(target)]);
  return [connection, ...gateway, nats];
}

const line = ({ check, level, detail, remedy }: Finding): string =>
  `${level.padEnd(4)}  ${check}: ${plain(detail)}${remedy ? `\n      → ${remedy}` : ''}`;
