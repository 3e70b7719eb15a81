import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  bindAgent,
  deregisterAgent,
  drainAgent,
  endSession,
  beatAgent,
  registerAgent,
  resumeAgent,
} from '@athena/contracts';
import { RegistryScenario } from './registry.scenario.js';

const a1 = { agentId: 'a1' };
const silent = { ...a1, session: 1, reason: 'silent' } as const;

describe('a session', () => {
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
    given.do(registerAgent, { ...a1, capabilities: [], maxConcurrentTasks: 5 });
  });

  it('needs no event while the agent is present', () => {
    expect(given.do(beatAgent, a1)).toEqual({
      events: [],
      answer: { agentId: 'a1', session: 1, heartbeatMs: 5_000 },
    });
  });

  it('ends once', () => {
    const first = given.do(endSession, silent);
    const again = given.do(endSession, silent);

    expect(first).toEqual({
      events: [['AgentSessionEnded', 'a1', { session: 1, reason: 'silent' }]],
      answer: { ended: true },
    });
    expect(again).toEqual({ events: [], answer: { ended: true } });
  });

  it('that is newer is not ended by the news about an older one', () => {
    given.do(registerAgent, { ...a1, capabilities: [], maxConcurrentTasks: 5 });

    expect(given.do(endSession, silent)).toEqual({ events: [], answer: { ended: true } });
    expect(given.do(beatAgent, a1).answer?.session).toBe(2);
  });

  it('that never was is not over', () => {
    const never = given.do(endSession, { ...silent, session: 9 });
    const nobody = given.do(endSession, { ...silent, agentId: 'nobody' });

    expect([never, nobody]).toEqual([
      { events: [], answer: { ended: false } },
      { events: [], answer: { ended: false } },
    ]);
  });

  it('is new when an agent that was away makes contact, and only then', () => {
    given.do(endSession, silent);

    const back = given.do(beatAgent, a1);
    const next = given.do(beatAgent, a1);

    expect(back.events).toEqual([['AgentReturned', 'a1', { session: 2 }]]);
    expect(back.answer?.session).toBe(2);
    expect(next.events).toEqual([]);
  });

  it('is kept alive by its own agent only', () => {
    const strangers = ['key:k2', 'agent-key:k2', 'agent:a2', 'system:router'];

    expect(strangers.map((actor) => given.do(beatAgent, a1, { actor }).refusal)).toEqual(
      strangers.map(() => 'AGENT_ID_TAKEN'),
    );
    expect(given.do(beatAgent, a1, { actor: 'agent:a1' }).refusal).toBeUndefined();
  });
});

describe('draining', () => {
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
    given.do(registerAgent, { ...a1, capabilities: [], maxConcurrentTasks: 5 });
  });

  it('happens once', () => {
    const first = given.do(drainAgent, a1);
    const again = given.do(drainAgent, a1);

    expect(first).toEqual({
      events: [['AgentDraining', 'a1', { session: 1 }]],
      answer: { agentId: 'a1', status: 'draining' },
    });
    expect(again).toEqual({ events: [], answer: first.answer });
  });

  it('outlives an absence', () => {
    given.do(drainAgent, a1);
    given.do(endSession, silent);
    expect(given.do(drainAgent, a1).answer?.status).toBe('offline');
    given.do(beatAgent, a1);

    expect(given.do(drainAgent, a1)).toEqual({
      events: [],
      answer: { agentId: 'a1', status: 'draining' },
    });
  });

  it('is ended by resuming the agent, once', () => {
    given.do(drainAgent, a1);
    const first = given.do(resumeAgent, a1);

    expect(first).toEqual({
      events: [['AgentResumed', 'a1', { session: 1 }]],
      answer: { agentId: 'a1', status: 'online' },
    });
    expect(given.do(resumeAgent, a1)).toEqual({ events: [], answer: first.answer });
    expect(given.do(resumeAgent, a1, { actor: 'agent:a2' }).refusal).toBe('AGENT_ID_TAKEN');
    expect(given.do(drainAgent, a1).events).toHaveLength(1);
  });

  it('is for the agent and for operators, not for other agents', () => {
    const refusal = (actor: string) => given.do(drainAgent, a1, { actor }).refusal;

    expect(['agent-key:k2', 'agent:a2'].map(refusal)).toEqual(['AGENT_ID_TAKEN', 'AGENT_ID_TAKEN']);
    expect(['key:k2', 'agent-key:k1', 'agent:a1'].map(refusal)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('deregistering', () => {
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
    given.do(registerAgent, { ...a1, capabilities: [], maxConcurrentTasks: 5 });
  });

  it('ends the session and happens once', () => {
    const first = given.do(deregisterAgent, a1);
    const again = given.do(deregisterAgent, a1);

    expect(first).toEqual({
      events: [
        ['AgentSessionEnded', 'a1', { session: 1, reason: 'deregistered' }],
        ['AgentDeregistered', 'a1', { session: 1 }],
      ],
      answer: { agentId: 'a1', deregistered: true },
    });
    expect(again).toEqual({ events: [], answer: first.answer });
  });

  it('of an agent that is away has no session to end', () => {
    given.do(endSession, silent);

    expect(given.do(deregisterAgent, a1).events).toEqual([
      ['AgentDeregistered', 'a1', { session: 1 }],
    ]);
  });

  it('is final until it registers: contact does not bring it back', () => {
    given.do(deregisterAgent, a1);

    expect(given.do(beatAgent, a1)).toMatchObject({
      refusal: 'AGENT_NOT_FOUND',
      detail: 'agent a1 has deregistered; let it register again',
    });
    expect(given.do(endSession, silent)).toEqual({ events: [], answer: { ended: true } });
  });
});

describe('an agent that never registered', () => {
  it.each([beatAgent, drainAgent, resumeAgent, deregisterAgent])(
    'is not found: $name',
    (operation) => {
      const given = new RegistryScenario();
      given.do(bindAgent, { agentId: 'connected', credential: 'k1' });

      expect(given.do(operation, a1)).toEqual({
        events: [],
        refusal: 'AGENT_NOT_FOUND',
        detail: 'agent a1 is not known in project default',
      });
      expect(given.do(operation, { agentId: 'connected' }).detail).toBe(
        'agent connected has connected but not registered yet',
      );
    },
  );
});
