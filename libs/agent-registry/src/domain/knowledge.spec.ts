import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  countPerformance,
  deregisterAgent,
  learnCapability,
  limits,
  registerAgent,
} from '@athena/contracts';
import { RegistryScenario } from './registry.scenario.js';

const a1 = { agentId: 'a1', capabilities: ['pdf'], maxConcurrentTasks: 5, kind: 'reader' };
const ocr = { agentId: 'a1', capability: 'ocr', confidence: 0.7 };

describe('learning a capability', () => {
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
    given.do(registerAgent, a1);
  });

  it('adds it once', () => {
    const first = given.do(learnCapability, ocr);
    const again = given.do(learnCapability, ocr);

    expect(first).toEqual({
      events: [
        ['CapabilityLearned', 'a1', { capability: 'ocr', provenance: 'manual', confidence: 0.7 }],
      ],
      answer: { agentId: 'a1', capabilities: ['pdf', 'ocr'] },
    });
    expect(again).toEqual({ events: [], answer: first.answer });
  });

  it('with more confidence is news, with less it is not', () => {
    given.do(learnCapability, ocr);

    expect(given.do(learnCapability, { ...ocr, confidence: 0.6 }).events).toEqual([]);
    expect(given.do(learnCapability, { ...ocr, confidence: 0.9 }).events).toMatchObject([
      ['CapabilityLearned', 'a1', { confidence: 0.9 }],
    ]);
  });

  it('that the agent declared changes nothing', () => {
    expect(given.do(learnCapability, { ...ocr, capability: 'pdf', confidence: 1 })).toEqual({
      events: [],
      answer: { agentId: 'a1', capabilities: ['pdf'] },
    });
  });

  it('teaches every agent of the kind that is in the fleet, in this project', () => {
    given.do(registerAgent, { ...a1, agentId: 'a2' });
    given.do(registerAgent, { ...a1, agentId: 'gone' });
    given.do(deregisterAgent, { agentId: 'gone' });
    given.do(registerAgent, { ...a1, agentId: 'writer', kind: 'writer' });
    given.do(registerAgent, a1, { project: 'other', actor: 'key:k2' });

    const { events } = given.do(learnCapability, ocr);

    expect(events.map(([, agentId]) => agentId)).toEqual(['a1', 'a2']);
  });

  it('is kept over a re-registration', () => {
    given.do(learnCapability, ocr);

    const { events } = given.do(registerAgent, a1);

    expect(events.map(([type]) => type)).toEqual([
      'AgentSessionEnded',
      'AgentRegistered',
      'CapabilityLearned',
    ]);
    expect(given.do(learnCapability, ocr).answer?.capabilities).toEqual(['pdf', 'ocr']);
  });

  it('ends at the limit of one agent', () => {
    const capabilities = Array.from({ length: limits.CAPABILITIES_MAX - 1 }, (_, n) => `c${n}`);
    given.do(registerAgent, { ...a1, capabilities });

    expect(given.do(learnCapability, ocr).refusal).toBeUndefined();
    expect(given.do(learnCapability, { ...ocr, capability: 'one-more' }).refusal).toBe(
      'TOO_MANY_CAPABILITIES',
    );
    expect(given.do(learnCapability, { ...ocr, confidence: 1 }).refusal).toBeUndefined();
  });

  it('needs the agent to be in the fleet', () => {
    given.do(deregisterAgent, { agentId: 'a1' });

    expect(given.do(learnCapability, ocr).refusal).toBe('AGENT_NOT_FOUND');
  });
});

describe('counting work done outside Athena', () => {
  const report = { agentId: 'a1', success: true, durationMs: 100 };
  let given: RegistryScenario;
  beforeEach(() => {
    given = new RegistryScenario();
    given.do(registerAgent, a1);
  });

  it('records it for the kind', () => {
    expect(given.do(countPerformance, report)).toEqual({
      events: [['PerformanceReported', 'a1', { kind: 'reader', success: true, durationMs: 100 }]],
      answer: { counted: true },
    });
  });

  it('counts the same command once, also after a restart', () => {
    given.do(countPerformance, report, { id: 'same' });
    given.restart();

    expect(given.do(countPerformance, report, { id: 'same' })).toEqual({
      events: [],
      answer: { counted: true },
    });
    expect(given.do(countPerformance, report).events).toHaveLength(1);
  });

  it('counts the same report of an agent once, under whichever command', () => {
    given.do(registerAgent, { ...a1, agentId: 'a2' });
    given.do(countPerformance, { ...report, reportId: 'job-1' });

    const again = given.do(countPerformance, { ...report, reportId: 'job-1' });
    const other = given.do(countPerformance, { ...report, agentId: 'a2', reportId: 'job-1' });

    expect(again).toEqual({ events: [], answer: { counted: true } });
    expect(other.events).toHaveLength(1);
  });

  it('recognises repeats within the window and no longer', () => {
    given.do(countPerformance, report, { id: 'same' });

    given.now += limits.IDEMPOTENCY_WINDOW_MS;
    expect(given.do(countPerformance, report, { id: 'same' }).events).toHaveLength(0);
    given.now += 1;
    expect(given.do(countPerformance, report, { id: 'same' }).events).toHaveLength(1);
  });

  it('needs the agent to be in the fleet', () => {
    expect(given.do(countPerformance, { ...report, agentId: 'nobody' }).refusal).toBe(
      'AGENT_NOT_FOUND',
    );
  });
});
