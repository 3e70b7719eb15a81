import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Commit, LoggedEvent } from '@athena/event-log';
import { simulate } from '../simulation.js';
import { check } from './check.js';
import type { Recorded } from './recorded.js';

type Data = Record<string, unknown>;

const EVERYTHING = [
  ...['TaskCompleted', 'TaskCancelled', 'TaskReleased', 'AttemptFailed', 'DependencyCompleted'],
  ...['TaskFailed', 'TaskBlocked', 'AgentRegistered'],
];
const SEEDS_MAX = 50;

/** The first history in which everything happens: dependencies, retries, cancellations. */
async function goodHistory(): Promise<Recorded> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const history = await simulate(seed);
    const types = new Set(history.commits.flatMap(({ events }) => events.map(({ type }) => type)));
    if (EVERYTHING.every((type) => types.has(type))) return history;
  }
  throw new Error(`in ${SEEDS_MAX} histories there is none in which everything happens`);
}

describe('the checker', () => {
  let good: Recorded;
  beforeAll(async () => {
    good = await goodHistory();
  }, 60_000);

  const found = (spoiled: Partial<Recorded>): string[] =>
    [...new Set(check({ ...good, ...spoiled }).map(({ invariant }) => invariant))].sort();

  /** Changes the events of the commits; the hashes stay as they were. */
  const withEvents = (change: (event: LoggedEvent) => LoggedEvent[]): Partial<Recorded> => ({
    commits: good.commits.map((commit) => ({ ...commit, events: commit.events.flatMap(change) })),
  });
  const onFirst = (
    wanted: (event: LoggedEvent) => boolean,
    change: (event: LoggedEvent) => LoggedEvent[],
  ): Partial<Recorded> => {
    let done = false;
    const spoiled = withEvents((event) => {
      if (done || !wanted(event)) return [event];
      done = true;
      return change(event);
    });
    expect(done).toBe(true);
    return spoiled;
  };
  const of = (type: string) => (event: LoggedEvent) => event.type === type;
  const withData = (event: LoggedEvent, data: Data): LoggedEvent => ({
    ...event,
    data: { ...(event.data as Data), ...data },
  });

  it('finds nothing wrong with a good history', () => {
    expect(check(good)).toEqual([]);
  });

  it('C1: misses what was acknowledged', () => {
    const isCompleted = of('TaskCompleted');
    expect(found(onFirst(isCompleted, () => []))).toEqual(expect.arrayContaining(['C1', 'C13']));
    expect(found(onFirst(of('AgentRegistered'), () => []))).toContain('C1');
    expect(found(onFirst(of('TaskCancelled'), () => []))).toContain('C1');
  });

  it('C2: misses whoever asked for what is there', () => {
    const asked = good.asked.filter(({ op }) => op !== 'task.cancel');
    expect(found({ asked })).toEqual(['C2']);
    const invented = (event: LoggedEvent) => [withData(event, { result: { execution: 0 } })];
    expect(found(onFirst(of('TaskCompleted'), invented))).toContain('C2');
  });

  it('C3: sees a second outcome', () => {
    expect(found(onFirst(of('TaskCompleted'), (event) => [event, event]))).toContain('C3');
  });

  it('C4: sees a completion by somebody else, or of an earlier attempt', () => {
    const isCompleted = of('TaskCompleted');
    const byAnother = (event: LoggedEvent) => [{ ...event, actor: 'agent:somebody' }];
    expect(found(onFirst(isCompleted, byAnother))).toEqual(['C4']);
    const earlier = (event: LoggedEvent) => [withData(event, { attempt: 0 })];
    expect(found(onFirst(isCompleted, earlier))).toContain('C4');
  });

  it('C5: sees a broken chain, a lost commit, and a step that the machine has not', () => {
    const broken = good.commits.map((commit, place): Commit => {
      const header = { ...commit.header, prev: 'another' };
      return place === 9 ? { ...commit, header } : commit;
    });
    expect(found({ commits: broken })).toEqual(['C5']);
    expect(found({ commits: good.commits.toSpliced(9, 1) })).toContain('C5');
    expect(found(onFirst(of('TaskStarted'), () => []))).toContain('C5');
  });

  it('C6: sees a task given away while somebody has it', () => {
    expect(found(onFirst(of('TaskAssigned'), (event) => [event, event]))).toContain('C6');
  });

  it('C7: sees more tasks than an agent takes', () => {
    const smaller = (event: LoggedEvent): LoggedEvent[] => [
      event.type === 'AgentRegistered' ? withData(event, { maxConcurrentTasks: 0 }) : event,
    ];
    expect(found(withEvents(smaller))).toEqual(['C7']);
  });

  it('C8: sees an assignment before its dependencies have completed', () => {
    const never = (event: LoggedEvent): LoggedEvent[] => [
      event.type === 'TaskCreated' ? withData(event, { dependencies: [event.id] }) : event,
    ];
    expect(found(withEvents(never))).toEqual(['C8']);
  });

  it('C9: sees what was done twice', () => {
    const again = (event: LoggedEvent) => [event, { ...event, id: `${event.id}-again` }];
    expect(found(onFirst(of('TaskCreated'), again))).toEqual(expect.arrayContaining(['C9', 'C13']));
  });

  it('C12: sees a read that never was so', () => {
    const asked = good.asked.map((one) => ({
      ...one,
      answers: one.answers.map((answer) =>
        one.op === 'task.get' && answer.ok ? { ...answer, ok: { status: 'blocked' } } : answer,
      ),
    }));
    expect(found({ asked })).toEqual(['C12']);
  });

  it('C14: sees work that nobody did', () => {
    expect(found({ ledger: good.ledger.slice(1) })).toEqual(['C14']);
  });

  it('passes on what the platform says of itself', () => {
    expect(found({ faults: [new Error('inside')] })).toEqual(['fault']);
  });
});
