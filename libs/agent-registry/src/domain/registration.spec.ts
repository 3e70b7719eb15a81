import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  bindAgent,
  deregisterAgent,
  drainAgent,
  endSession,
  learnCapability,
  limits,
  registerAgent,
} from '@athena/contracts';
import type { NewEvent } from '@athena/operation';
import { PROJECT, RegistryScenario } from './registry.scenario.js';
import { findMember } from './registry-state.js';

const a1 = { agentId: 'a1', capabilities: ['pdf'], maxConcurrentTasks: 2 };

describe('registering an agent', () => {
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
  });

  it('binds the id to the credential and opens a session', () => {
    const { events, answer } = given.do(registerAgent, a1);

    expect(events).toEqual([
      ['AgentBound', 'a1', { credential: 'k1' }],
      [
        'AgentRegistered',
        'a1',
        { session: 1, kind: 'a1', capabilities: ['pdf'], maxConcurrentTasks: 2, mode: 'poll' },
      ],
    ]);
    expect(answer).toEqual({
      agentId: 'a1',
      registered: true,
      session: 1,
      heartbeatMs: 5_000,
      seq: 1,
    });
  });

  it('keeps kind and metadata, and names each capability once', () => {
    const metadata = { region: 'eu' };
    const { events } = given.do(registerAgent, {
      ...a1,
      capabilities: ['pdf', 'ocr', 'pdf'],
      kind: 'reader',
      metadata,
    });

    expect(events[1]?.[2]).toMatchObject({
      kind: 'reader',
      capabilities: ['pdf', 'ocr'],
      metadata,
    });
  });

  it('gives session numbers that grow over the whole registry', () => {
    given.do(registerAgent, a1);
    const b = given.do(registerAgent, { ...a1, agentId: 'b' });
    const other = given.do(registerAgent, a1, { project: 'other', actor: 'key:k9' });
    const again = given.do(registerAgent, a1);

    expect([b, other, again].map(({ answer }) => answer?.session)).toEqual([2, 3, 4]);
  });

  it('anew is a new incarnation, also with the same content: the older session ends', () => {
    given.do(registerAgent, a1);

    const { events } = given.do(registerAgent, a1);

    expect(events).toMatchObject([
      ['AgentSessionEnded', 'a1', { session: 1, reason: 'replaced' }],
      ['AgentRegistered', 'a1', { session: 2 }],
    ]);
  });

  it('after its session has ended ends nothing twice', () => {
    given.do(registerAgent, a1);
    given.do(endSession, { agentId: 'a1', session: 1, reason: 'silent' });

    expect(given.do(registerAgent, a1).events).toMatchObject([['AgentRegistered', 'a1', {}]]);
  });

  it('repeated as the same command gives the recorded answer, also after a later one', () => {
    const first = given.do(registerAgent, a1, { id: 'same' });
    given.do(registerAgent, a1, { id: 'later' });
    given.restart();

    const repeat = given.do(registerAgent, a1, { id: 'same' });

    expect(repeat.events).toEqual([]);
    expect(repeat.answer?.session).toBe(first.answer?.session);
  });

  it('over NATS makes it an agent that claims; by a key, one that polls', () => {
    given.do(bindAgent, { agentId: 'a1', credential: 'k1' }, { actor: 'system:gateway' });

    const claims = given.do(registerAgent, a1, { actor: 'agent:a1' });
    const polls = given.do(registerAgent, a1, { actor: 'agent-key:k1' });

    expect(claims.events).toMatchObject([['AgentRegistered', 'a1', { mode: 'claim' }]]);
    expect(polls.events.at(-1)).toMatchObject(['AgentRegistered', 'a1', { mode: 'poll' }]);
  });

  it('ends a drain', () => {
    given.do(registerAgent, a1);
    given.do(drainAgent, { agentId: 'a1' });
    given.do(registerAgent, a1);

    expect(findMember(given.state, { project: PROJECT, agentId: 'a1' })?.draining).toBe(false);
  });

  it('brings what its kind has learned', () => {
    given.do(registerAgent, { ...a1, kind: 'reader' });
    given.do(learnCapability, { agentId: 'a1', capability: 'ocr', confidence: 0.8 });

    const pod = given.do(registerAgent, { ...a1, agentId: 'pod-2', kind: 'reader' });
    const declared = given.do(registerAgent, {
      ...a1,
      agentId: 'pod-3',
      kind: 'reader',
      capabilities: ['ocr'],
    });

    expect(pod.events.at(-1)).toEqual([
      'CapabilityLearned',
      'pod-2',
      { capability: 'ocr', provenance: 'manual', confidence: 0.8 },
    ]);
    expect(declared.events.at(-1)?.[0]).toBe('AgentRegistered');
  });
});

describe('an agent id', () => {
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
  });

  it('belongs to the credential that connected first', () => {
    const bound = given.do(bindAgent, { agentId: 'a1', credential: 'k1' });
    const again = given.do(bindAgent, { agentId: 'a1', credential: 'k1' });
    const other = given.do(bindAgent, { agentId: 'a1', credential: 'k2' });

    expect(bound.events).toEqual([['AgentBound', 'a1', { credential: 'k1' }]]);
    expect(again).toEqual({ events: [], answer: { agentId: 'a1' } });
    expect(other).toMatchObject({ events: [], refusal: 'AGENT_ID_TAKEN' });
  });

  it.each(['key:k2', 'agent-key:k2', 'app:k1', 'agent:a2', 'system:router', 'k1'])(
    'is not registered over by %s',
    (actor) => {
      given.do(registerAgent, a1, { actor: 'key:k1' });

      expect(given.do(registerAgent, a1, { actor })).toMatchObject({
        events: [],
        refusal: 'AGENT_ID_TAKEN',
      });
    },
  );

  it('stays with its credential after the agent has left', () => {
    given.do(registerAgent, a1);
    given.do(deregisterAgent, { agentId: 'a1' });

    expect(given.do(registerAgent, a1, { actor: 'key:k2' }).refusal).toBe('AGENT_ID_TAKEN');
    expect(given.do(registerAgent, a1).events).toMatchObject([['AgentRegistered', 'a1', {}]]);
  });

  it('is another one in another project', () => {
    given.do(registerAgent, a1);

    const other = given.do(registerAgent, a1, { project: 'other', actor: 'key:k2' });

    expect(other.answer?.registered).toBe(true);
  });
});

describe('a full fleet', () => {
  const fill = (given: RegistryScenario, type: string, count: number, data: object): void => {
    for (let n = 0; n < count; n++) {
      const event: NewEvent = { type, v: 1, project: PROJECT, id: `n${n}`, data };
      given.fold(event, { actor: 'key:k1', id: `fill-${n}` });
    }
  };
  const registered = {
    session: 1,
    kind: 'n',
    capabilities: [],
    maxConcurrentTasks: 1,
    mode: 'poll',
  };

  it('refuses one more, but not one that is in it', () => {
    const given = new RegistryScenario();
    fill(given, 'AgentRegistered', limits.AGENTS_PER_PROJECT_MAX, registered);
    given.restart();

    expect(given.do(registerAgent, a1)).toMatchObject({ refusal: 'TOO_MANY_AGENTS' });
    expect(given.do(registerAgent, { ...a1, agentId: 'n5' }).answer?.registered).toBe(true);
    given.do(deregisterAgent, { agentId: 'n7' });
    expect(given.do(registerAgent, a1).answer?.registered).toBe(true);
  });

  it('gives the place of the agent that has been away longest to the new one', () => {
    const given = new RegistryScenario();
    fill(given, 'AgentRegistered', limits.AGENTS_PER_PROJECT_MAX, registered);
    given.do(endSession, { agentId: 'n8', session: 1, reason: 'silent' });
    given.now += 1;
    given.do(endSession, { agentId: 'n3', session: 1, reason: 'silent' });
    expect(given.do(registerAgent, a1)).toMatchObject({ refusal: 'TOO_MANY_AGENTS' });

    given.now += limits.AWAY_REPLACEABLE_MS;
    const { events } = given.do(registerAgent, a1);

    expect(events.map(([type, agentId]) => [type, agentId])).toEqual([
      ['AgentDeregistered', 'n8'],
      ['AgentBound', 'a1'],
      ['AgentRegistered', 'a1'],
    ]);
  });

  it('takes no more ids than the limit, whoever connects', () => {
    const given = new RegistryScenario();
    fill(given, 'AgentBound', limits.AGENT_IDS_PER_PROJECT_MAX, { credential: 'k1' });

    expect(given.do(bindAgent, { agentId: 'a1', credential: 'k1' }).refusal).toBe(
      'TOO_MANY_AGENTS',
    );
    expect(given.do(bindAgent, { agentId: 'n1', credential: 'k1' }).refusal).toBeUndefined();
  });
});
