import { operations } from '@athena/contracts';
import { NOT_CAUGHT_UP } from '@athena/operation';
import { AthenaClient } from '@athena/sdk';
import { LocalStack } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { agentRows } from './agent-rows.scenario.js';
import { cli } from './cli-surface.scenario.js';
import { Life, type Place } from './life.scenario.js';
import { mcp } from './mcp-surface.scenario.js';
import { normal } from './normal.scenario.js';
import { platformRows } from './platform-rows.scenario.js';
import { NOT_PROVOKED, casesOf, type Case } from './row.scenario.js';
import { scheduleRows } from './schedule-rows.scenario.js';
import { isForApps, type Door, type Outcome, type Surface } from './surface.scenario.js';
import { APP, nats, rest, sdk, sdkOverNats } from './surfaces.scenario.js';
import { queueRows } from './queue-rows.scenario.js';
import { taskRows } from './task-rows.scenario.js';

const rows = [...taskRows, ...queueRows, ...scheduleRows, ...agentRows, ...platformRows];
const outside = operations.filter(({ scope }) => scope !== undefined);
const SURFACES = { rest, nats, sdk, sdkOverNats, mcp, cli };
const EVERY_SCOPE = [
  ...['tasks:read', 'tasks:write', 'agents:read', 'agents:write'],
  ...['routing:read', 'routing:write', 'events:read', 'admin', 'agent'],
] as const;

interface Told {
  readonly name: string;
  readonly surface: Surface;
  readonly life: Life;
  readonly outcome: Outcome;
}

interface Lived {
  readonly name: string;
  readonly surface: Surface;
  readonly place: Place;
}

const cases = rows.flatMap(casesOf);
const AT_A_TIME = 8;
const told = new Map<Case, Promise<readonly Told[]>>();

let stack: LocalStack;
let root: AthenaClient;
let lives: readonly Lived[] = [];
const clients: AthenaClient[] = [];

beforeAll(async () => {
  stack = await LocalStack.start();
  root = await over(stack.apiKey);
  lives = await Promise.all(Object.keys(SURFACES).map((name) => begin(name as never)));
  const wholes = cases.filter(({ row, code }) => row.whole && code === undefined);
  const others = cases.filter((one) => !wholes.includes(one));
  for (const one of wholes) await make(one);
  await Promise.all(Array.from({ length: AT_A_TIME }, () => makeAll(others)));
}, 120_000);
afterAll(async () => {
  await Promise.all([...lives.map(({ surface }) => surface.close()), ...clients.map(closed)]);
  await stack?.stop();
});

/** Makes what is left, until nothing is. */
async function makeAll(left: Case[]): Promise<void> {
  for (let one = left.shift(); one; one = left.shift()) await make(one);
}

async function make(one: Case): Promise<void> {
  const made = outcomes(one);
  told.set(one, made);
  await made.catch(() => undefined);
}

const closed = (client: AthenaClient): Promise<void> => client.close();

async function over(apiKey: string): Promise<AthenaClient> {
  const client = await AthenaClient.connect({ url: stack.url, apiKey });
  clients.push(client);
  return client;
}

/** A project for the surface, with keys of its own. */
async function begin(name: keyof typeof SURFACES): Promise<Lived> {
  const project = `life-over-${name}`;
  await root.projects.create({ project });
  const make = (scopes: readonly string[]) =>
    root.keys.create({ name: 'made', project, scopes: scopes as never });
  const own = await make(EVERY_SCOPE);
  const other = await make(EVERY_SCOPE);
  const agent = await make(['agent']);
  const keys = { own: own.apiKey, root: stack.apiKey, agent: agent.apiKey };
  const door: Door = { url: stack.url, natsUrl: stack.natsUrl, project, keys };
  const surface = await SURFACES[name](door);
  const client = name === 'nats' || name === 'sdkOverNats' ? await app(door) : over(keys.own);
  const place = { project, keyId: own.keyId, client: await client };
  return { name, surface, place: { ...place, neighbour: await over(other.apiKey) } };
}

async function app({ natsUrl, project, keys }: Door): Promise<AthenaClient> {
  const client = await AthenaClient.connectNats({ natsUrl, project, name: APP, apiKey: keys.own });
  clients.push(client);
  return client;
}

/** Makes the call over each surface; where one lacks it, what it changes is changed all the same. */
async function outcomes(one: Case): Promise<readonly Told[]> {
  const { row, as, given, code } = one;
  const made = lives.map(async ({ name, surface, place }): Promise<Told[]> => {
    const life = new Life(place, cases.indexOf(one));
    const input = await given(life);
    if (surface.offers(row, as)) {
      if (code === NOT_CAUGHT_UP.code && surface.retries) return [];
      return [{ name, surface, life, outcome: await surface.call(row, input, as) }];
    }
    if (code === undefined && isForApps(row.operation)) {
      await life.client.call(row.operation, input);
    }
    return [];
  });
  return (await Promise.all(made)).flat();
}

describe('the table', () => {
  it('has a row for every operation that can be called from outside', () => {
    const listed = rows.map(({ operation }) => operation.name);
    expect(listed.sort()).toEqual(outside.map(({ name }) => name).sort());
  });

  it('has a tool for every operation that is one', async () => {
    const { tools } = await import('@athena/mcp');
    const offered = tools.flatMap((tool) => tool.operations.map(({ name }) => name));
    const tested = rows.filter((row) => row.mcp).map(({ operation }) => operation.name);
    expect(tested.sort()).toEqual([...new Set(offered)].sort());
  });

  it.each(rows.map((row) => [row.operation.name, row] as const))(
    'provokes each refusal of %s that can be',
    (_name, { operation, refused, within }) => {
      const provoked = [...Object.keys(refused), ...Object.keys(within)];
      const declared = operation.refusals.map(({ code }) => code);
      const missing = declared.filter(
        (code) =>
          !provoked.includes(code) &&
          !NOT_PROVOKED[code] &&
          !NOT_PROVOKED[`${operation.name} ${code}`],
      );
      expect(missing).toEqual([]);
      expect(provoked.filter((code) => !declared.includes(code))).toEqual([]);
    },
  );
});

describe('every surface', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const [rest, ...others] = (await told.get(one)) ?? [];
    expect(rest?.name).toBe('rest');
    const { outcome, life } = rest as Told;
    checkTold(one, outcome);
    const expected = normal(outcome, life) as Outcome;
    for (const other of others) {
      const same = other.surface.expected?.(expected, one.row) ?? expected;
      expect([other.name, normal(other.outcome, other.life)]).toEqual([other.name, same]);
    }
  });

  it('keeps the management of keys off NATS, where only the project is known', async () => {
    const { place } = lives.find(({ name }) => name === 'sdkOverNats') as Lived;
    for (const operation of outside.filter((one) => !isForApps(one))) {
      const refused = place.client.call(operation, {});
      await expect(refused).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    }
  });
});

/** REST, against which the others are held, says what it should. */
function checkTold({ code, within, row }: Case, told: Outcome): void {
  if (code !== undefined && !within) {
    expect(told).toMatchObject({ refused: { code } });
  } else {
    const { answer } = told as { answer: unknown };
    expect(row.operation.output.safeParse(answer).error).toBeUndefined();
    if (code !== undefined) expect(JSON.stringify(answer)).toContain(`"code":"${code}"`);
  }
}
