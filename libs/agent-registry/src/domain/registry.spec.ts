import { describe, expect, it } from '@jest/globals';
import {
  bindAgent,
  countPerformance,
  deregisterAgent,
  drainAgent,
  endSession,
  beatAgent,
  learnCapability,
  registerAgent,
  resumeAgent,
} from '@athena/contracts';
import { CLOCKS_RESTARTED, PARTITION_OPENED, type Command } from '@athena/event-log';
import fc from 'fast-check';
import { PROJECT, RegistryScenario } from './registry.scenario.js';
import { registry } from './registry.js';
import { tables } from './registry-state.js';

const agentId = fc.constantFrom('a1', 'a2');
const kind = fc.constantFrom('reader', 'writer');
const capability = fc.constantFrom('pdf', 'ocr', 'sum');
const session = fc.integer({ min: 0, max: 8 });

const asked = fc.oneof(
  fc.record({ op: fc.constant(bindAgent), credential: fc.constantFrom('k1', 'k2'), agentId }),
  fc.record({
    op: fc.constant(registerAgent),
    agentId,
    kind,
    capabilities: fc.array(capability, { maxLength: 3 }),
    maxConcurrentTasks: fc.constant(5),
  }),
  fc.record({ op: fc.constantFrom(beatAgent, drainAgent, resumeAgent, deregisterAgent), agentId }),
  fc.record({
    op: fc.constant(endSession),
    agentId,
    session,
    reason: fc.constantFrom('silent', 'disconnected'),
  }),
  fc.record({
    op: fc.constant(learnCapability),
    agentId,
    capability,
    confidence: fc.constantFrom(0.5, 1),
  }),
  fc.record({
    op: fc.constant(countPerformance),
    agentId,
    success: fc.boolean(),
    durationMs: fc.nat(),
    reportId: fc.constantFrom(undefined, 'r1'),
  }),
);
const actor = fc.constantFrom('key:k1', 'key:k2', 'agent-key:k2', 'agent:a1', 'system:gateway');
const history = fc.array(fc.tuple(asked, actor), { maxLength: 40 });

const commandsOf = (steps: typeof history extends fc.Arbitrary<infer T> ? T : never): Command[] =>
  steps.map(([{ op, ...input }, by], n) => ({
    op: op.name,
    id: `c${n}`,
    project: PROJECT,
    actor: by,
    input,
  }));

const rowsOf = (given: RegistryScenario): unknown =>
  tables(given.state).map((table) => [table.name, [...table.entries()].sort(byKey)]);
const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

describe('the registry, whatever is asked of it', () => {
  it('takes no more events from a command that is repeated at once', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const given = new RegistryScenario();
        for (const command of commandsOf(steps)) {
          const first = given.submit(command);
          const repeat = given.submit(command);
          expect(repeat.events).toEqual([]);
          if (first.refusal === undefined) expect(repeat.refusal).toBeUndefined();
        }
      }),
    );
  });

  it('is the same state folded from the log, and loaded from any checkpoint with the tail', () => {
    fc.assert(
      fc.property(history, fc.nat(40), (steps, cut) => {
        const live = new RegistryScenario();
        const restarted = new RegistryScenario();
        commandsOf(steps).forEach((command, n) => {
          live.submit(command);
          if (n === cut) restarted.restart();
          restarted.submit(command);
        });
        expect(restarted.log).toEqual(live.log);
        expect(rowsOf(restarted)).toEqual(rowsOf(live));
        expect(restarted.state.sizes).toEqual(live.state.sizes);
      }),
    );
  });

  it('gives each session once, and at most one of an agent is open', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const given = new RegistryScenario();
        commandsOf(steps).forEach((command) => given.submit(command));
        const open = new Map<string, number>();
        const seen = new Set<number>();
        for (const { type, id, data } of given.log) {
          const { session } = data as { session: number };
          if (type === 'AgentRegistered' || type === 'AgentReturned') {
            expect(seen.has(session) || open.has(id)).toBe(false);
            seen.add(session);
            open.set(id, session);
          }
          if (type === 'AgentSessionEnded') {
            expect(open.get(id)).toBe(session);
            open.delete(id);
          }
        }
      }),
    );
  });
});

describe('the registry', () => {
  it('folds over events that concern the log itself, or that it does not know', () => {
    const given = new RegistryScenario();
    given.do(registerAgent, { agentId: 'a1', capabilities: [], maxConcurrentTasks: 1 });
    const before = rowsOf(given);

    for (const type of [PARTITION_OPENED, CLOCKS_RESTARTED, 'FromTheFuture']) {
      given.fold({ type, v: 1, project: '', id: 'agent.0', data: {} }, { actor: 'x', id: 'y' });
    }

    expect(rowsOf(given)).toEqual(before);
  });

  it('says so when it is asked what it does not do', () => {
    const given = new RegistryScenario();
    const command = { op: 'task.create', id: 'c', project: PROJECT, actor: 'key:k1', input: {} };

    expect(given.submit(command).refusal).toBe('UNKNOWN_OPERATION');
    expect(registry.nextDueAt(given.state)).toBeUndefined();
  });
});
