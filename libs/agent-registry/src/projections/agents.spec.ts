import { describe, expect, it } from '@jest/globals';
import { foldRows, type Happening } from './fold-rows.scenario.js';
import { agents, type AgentRow } from './agents.js';

const AT = Date.parse('2026-11-20T12:00:00Z');
const registered = (session: number, more = {}): Happening => [
  'AgentRegistered',
  'a1',
  {
    session,
    kind: 'reader',
    capabilities: ['pdf'],
    maxConcurrentTasks: 2,
    mode: 'claim',
    ...more,
  },
];
const holds = { agentId: 'a1', kind: 'reader' };
const assigned: Happening = ['TaskAssigned', 't1', holds];
const ended = (reason: string): Happening => ['AgentSessionEnded', 'a1', { session: 1, reason }];

const rowAfter = (...happenings: Happening[]): AgentRow | undefined =>
  foldRows<AgentRow>(agents, happenings, AT).get('default/a1');

describe('the projection of agents', () => {
  it('has a row from the first registration on', () => {
    expect(rowAfter(['AgentBound', 'a1', { credential: 'k1' }])).toBeUndefined();
    expect(rowAfter(registered(1, { metadata: { region: 'eu' } }))).toEqual({
      project: 'default',
      agent_id: 'a1',
      kind: 'reader',
      status: 'online',
      draining: false,
      mode: 'claim',
      session: 1,
      capabilities: ['pdf'],
      capability_details: [{ capability: 'pdf', provenance: 'declared', confidence: 1 }],
      max_concurrent_tasks: 2,
      metadata: { region: 'eu' },
      registered_at: AT,
      active_tasks: 0,
    });
  });

  it('names a column for every field of a row', () => {
    const row = rowAfter(registered(1)) as AgentRow;

    expect(agents.columns.map(({ name }) => name).sort()).toEqual(Object.keys(row).sort());
  });

  it('follows an agent’s presence', () => {
    const after = (...more: Happening[]) => rowAfter(registered(1), ...more)?.status;
    const back: Happening = ['AgentReturned', 'a1', { session: 2 }];
    const drained: Happening = ['AgentDraining', 'a1', { session: 1 }];

    expect(after(ended('silent'))).toBe('offline');
    expect(after(ended('silent'), back)).toBe('online');
    expect(after(drained)).toBe('draining');
    expect(after(drained, ended('silent'))).toBe('offline');
    expect(after(ended('silent'), drained)).toBe('offline');
    expect(after(drained, ended('silent'), back)).toBe('draining');
    expect(after(drained, registered(2))).toBe('online');
    const resumed: Happening = ['AgentResumed', 'a1', { session: 1 }];
    expect(after(drained, resumed)).toBe('online');
    expect(after(drained, ended('silent'), resumed)).toBe('offline');
    expect(after(drained, ended('silent'), resumed, back)).toBe('online');
    expect(after(ended('deregistered'), ['AgentDeregistered', 'a1', { session: 1 }])).toBe(
      'deregistered',
    );
  });

  it('keeps what was learned beside what was declared, until the next registration', () => {
    const learned = (confidence: number): Happening => [
      'CapabilityLearned',
      'a1',
      { capability: 'ocr', provenance: 'manual', confidence },
    ];

    const row = rowAfter(registered(1), learned(0.5), learned(0.8));

    expect(row?.capabilities).toEqual(['pdf', 'ocr']);
    expect(row?.capability_details[1]).toEqual({
      capability: 'ocr',
      provenance: 'manual',
      confidence: 0.8,
    });
    expect(rowAfter(registered(1), learned(0.5), registered(2))?.capabilities).toEqual(['pdf']);
  });

  it.each([
    'TaskCompleted',
    'AttemptFailed',
    'TaskFailed',
    'TaskReleased',
    'TaskCancelled',
    'TaskExpired',
  ])('counts a task from its assignment to %s', (type) => {
    const held = rowAfter(registered(1), assigned, ['TaskAssigned', 't2', holds]);
    const done = rowAfter(registered(1), assigned, [type, 't1', holds]);

    expect([held?.active_tasks, done?.active_tasks]).toEqual([2, 0]);
  });

  it('counts no task that was cancelled while nobody had it', () => {
    expect(rowAfter(registered(1), assigned, ['TaskCancelled', 't9', {}])?.active_tasks).toBe(1);
  });

  it('keeps the count over a new session: the old leases are given back one by one', () => {
    const again = [registered(1), assigned, ended('replaced'), registered(2)];
    const released: Happening = ['TaskReleased', 't1', { agentId: 'a1', attempt: 1 }];

    expect(rowAfter(...again)?.active_tasks).toBe(1);
    expect(rowAfter(...again, released)?.active_tasks).toBe(0);
  });
});
