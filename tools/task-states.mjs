// The states of a task as the decider has them: whatever may happen, to a task in every state.
// Read by tools/generate.mjs when everything is built.
import { createTask } from '@athena/contracts';
import { newAggregateId } from '@athena/operation';
import { taskDecider } from '@athena/task-queue/parts';
import { DeciderScenario } from '../libs/testing/dist/decider-scenario.js';

const PAUSE_MS = 10_000;
const END_MS = 20_000;
const decision = { policy: 'base@1', reason: '', candidates: [], considered: 0, registrySeq: 0 };
const error = { message: 'boom' };

/** A queue with the task under test. */
class Case extends DeciderScenario {
  #ids = 0;
  #fields;

  constructor(fields) {
    super(taskDecider({ partition: 0 }));
    const ends = Object.entries(fields).map(([name, value]) =>
      name === 'deadline' || name === 'retryUntil'
        ? [name, new Date(this.now + value).toISOString()]
        : [name, value],
    );
    this.#fields = {
      backoff: { kind: 'fixed', firstMs: PAUSE_MS, jitter: 'none' },
      ...Object.fromEntries(ends),
    };
  }

  create(fields = {}) {
    const id = newAggregateId(this.now, 0, Buffer.from(String(++this.#ids).padStart(8, '0')));
    const input = createTask.input.parse({ content: null, taskType: 'any', ...fields });
    this.when('task.create', input, { id });
    return id;
  }

  make(fields = {}) {
    this.taskId = this.create({ ...this.#fields, ...fields });
    return this;
  }

  place(taskId = this.taskId) {
    const placements = [{ taskId, agentId: 'ada', kind: 'ada', session: 1, decision }];
    const outcome = this.when('task.place', { partition: 0, routerEpoch: 0, placements });
    this.lease = this.state.tasks.get(taskId)?.holder?.lease ?? this.lease;
    const [{ refusal }] = outcome.answer.results;
    return refusal ? { ...outcome, refusal } : outcome;
  }

  /** The agent's, with the lease it was given, if any. */
  report(verb, more = {}) {
    const input = { taskId: this.taskId, lease: this.lease ?? '0.0.0', ...more };
    return this.when(`task.${verb}`, input, { actor: 'agent:ada' });
  }

  /** An operator's. */
  command(verb) {
    return this.when(`task.${verb}`, { taskId: this.taskId });
  }

  after(ms) {
    return { types: this.advance(ms) };
  }

  /** The first task that the one under test waits for ends. */
  dependency(verb) {
    const [id] = this.dependencies ?? [];
    if (id === undefined) return { types: [] };
    const before = this.log.length;
    if (verb === 'complete') {
      this.place(id);
      this.when('task.complete', { taskId: id });
    } else this.when('task.cancel', { taskId: id });
    this.advance(0);
    return { types: this.log.slice(before).flatMap(({ event }) => this.#own(event)) };
  }

  #own({ id, type }) {
    return id === this.taskId ? [type] : [];
  }

  get status() {
    const { tasks, recent } = this.state;
    return (tasks.get(this.taskId) ?? recent.get(this.taskId))?.status;
  }
}

/** How a task gets into each state. */
const SITUATIONS = {
  pending: (given) => given.make(),
  'pending: dependencies': (given) => {
    given.dependencies = [given.create()];
    return given.make({ dependencies: given.dependencies });
  },
  'pending: scheduled': (given) => given.make({ delayMs: PAUSE_MS }),
  'pending: backoff': (given) => {
    given.make().place();
    given.report('fail', { error, shouldRetry: true });
    return given;
  },
  blocked: (given) => {
    const [failed, other] = [given.create(), given.create()];
    given.dependencies = [other];
    given.make({ dependencies: [failed, other] });
    given.when('task.cancel', { taskId: failed });
    given.advance(0);
    return given;
  },
  assigned: (given) => {
    given.make().place();
    return given;
  },
  running: (given) => {
    given.make().place();
    given.report('start');
    return given;
  },
  completed: (given) => {
    given.make().place();
    given.report('complete', { result: 1 });
    return given;
  },
  failed: (given) => {
    given.make().place();
    given.report('fail', { error, shouldRetry: false });
    return given;
  },
  cancelled: (given) => {
    given.make().place();
    given.command('cancel');
    return given;
  },
};

const FAIL = (given) => given.report('fail', { error, shouldRetry: true });
const LOST = { agentId: 'ada', session: 1, exclude: true };
const LOSE = (given) => given.when('task.releaseSession', LOST);

/** What may happen to it: with which options, and how. */
const HAPPENINGS = [
  ['the router assigns it', {}, (given) => given.place()],
  ['its agent starts', {}, (given) => given.report('start')],
  ['… shows that it lives', {}, (given) => given.report('heartbeat')],
  ['… tells its progress', {}, (given) => given.report('progress', { percent: 50 })],
  ['… completes it', {}, (given) => given.report('complete', { result: 1 })],
  ['… fails', {}, FAIL],
  ['… fails for good', {}, (given) => given.report('fail', { error, shouldRetry: false })],
  ['… fails at its last attempt', { maxAttempts: 1 }, FAIL],
  ['its agent is lost', {}, LOSE],
  ['… lost at its last attempt', { maxAttempts: 1 }, LOSE],
  ['it is cancelled', {}, (given) => given.command('cancel')],
  ['it is redriven', {}, (given) => given.command('redrive')],
  ['a dependency completes', {}, (given) => given.dependency('complete')],
  ['a dependency ends otherwise', {}, (given) => given.dependency('cancel')],
  ['time passes', {}, (given) => given.after(3_600_000)],
  ['`startToCloseMs` passes', { startToCloseMs: END_MS }, (given) => given.after(END_MS)],
  ['`scheduleToStartMs` passes', { scheduleToStartMs: 1_000 }, (given) => given.after(1_000)],
  ['`retryUntil` passes', { retryUntil: END_MS }, (given) => given.after(END_MS)],
  ['`deadline` passes', { deadline: END_MS }, (given) => given.after(END_MS)],
];

function tried(situation, [, fields, happen]) {
  const given = situation(new Case(fields));
  const before = given.status;
  const { types, refusal } = happen(given);
  return { before, types, refusal, after: given.status, log: given.log, taskId: given.taskId };
}

/** Status → status → the events between them, as some case shows them. */
function transitions(cases) {
  const found = new Map();
  for (const { log, taskId } of cases) {
    const decider = taskDecider({ partition: 0 });
    const state = decider.initial();
    let before = '[*]';
    for (const { event, ...context } of log) {
      decider.evolve(state, event, { ...context, epoch: 1 });
      if (event.id !== taskId) continue;
      const { status: after } = state.tasks.get(taskId) ?? state.recent.get(taskId);
      const edge = `${before} --> ${after}`;
      if (before !== after) found.set(edge, (found.get(edge) ?? new Set()).add(event.type));
      before = after;
    }
  }
  return [...found].map(([edge, types]) => `    ${edge}: ${[...types].sort().join(', ')}`).sort();
}

const statusOf = (situation) => situation.split(':', 1)[0];

function cell({ before, types, refusal, after }, status) {
  // With these options a task does not get there.
  if (before !== status) return '';
  if (refusal) return `\`${refusal.code}\``;
  if (types.length === 0) return '–';
  return `${types.join(', ')}${before === after ? '' : ` → **${after}**`}`;
}

export function taskStatesPage(table) {
  const situations = Object.entries(SITUATIONS);
  const rows = HAPPENINGS.map((happening) =>
    situations.map(([, situation]) => tried(situation, happening)),
  );
  return `# States of a task

Generated by \`npm run generate\`: the decider is asked what it does with a task in every state. The
events named are those about the task; \`CODE\` is a refusal, – nothing. Pauses are
${PAUSE_MS / 1000} s here, and ends ${END_MS / 1000} s away: where a pause is over before,
its event is named, too.

\`\`\`mermaid
stateDiagram-v2
${transitions(rows.flat()).join('\n')}
\`\`\`

${table(
  ['', ...situations.map(([name]) => name)],
  rows.map((cases, n) => [
    HAPPENINGS[n][0],
    ...cases.map((one, column) => cell(one, statusOf(situations[column][0]))),
  ]),
)}
`;
}
