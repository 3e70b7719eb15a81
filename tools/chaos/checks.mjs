const OUTCOMES = new Map([
  ['TaskCompleted', 'completed'],
  ['TaskFailed', 'failed'],
  ['TaskCancelled', 'cancelled'],
]);
const PAGE = 1_000;
const FINDINGS_SHOWN_MAX = 5;

/** What the log's timeline says happened to every task, recounted event by event. */
export class Recount {
  #client;
  #after;
  #verifiedTo = 0;
  /** By task: how often it was created, and its outcomes. */
  tasks = new Map();

  constructor(client) {
    this.#client = client;
  }

  /**
   * Reads on, and compares with it what the system shows. `expected`: tasks that must be finished,
   * each once. Resolves with what is wrong.
   */
  async check(expected) {
    const { seq: minSeq } = await this.#client.system.health();
    await this.#readOn(minSeq);
    const findings = [
      ...this.#outcomes(expected),
      ...(await this.#readModels(expected, minSeq)),
      ...(await this.#archive()),
    ];
    const more = findings.length - FINDINGS_SHOWN_MAX;
    return more > 0 ? [...findings.slice(0, FINDINGS_SHOWN_MAX), `and ${more} more`] : findings;
  }

  async #readOn(minSeq) {
    for (;;) {
      const { events, nextAfter } = await this.#client.events.timeline({
        ...(this.#after !== undefined && { after: this.#after }),
        aggregate: 'task',
        limit: PAGE,
        minSeq,
      });
      for (const event of events) this.#fold(event);
      this.#after = nextAfter;
      if (events.length === 0) return;
    }
  }

  #fold({ type, aggregateId, at }) {
    const task = this.tasks.get(aggregateId) ?? { created: 0, outcomes: [], at };
    this.tasks.set(aggregateId, task);
    if (type === 'TaskCreated') task.created++;
    if (OUTCOMES.has(type)) task.outcomes.push(OUTCOMES.get(type));
  }

  #outcomes(expected) {
    return expected.flatMap((taskId) => {
      const { created = 0, outcomes = [] } = this.tasks.get(taskId) ?? {};
      if (created === 1 && outcomes.length === 1) return [];
      return [`task ${taskId}: created ${created} times, outcomes [${outcomes.join()}]`];
    });
  }

  /** The list of tasks, row by row, and the queue's figures. */
  async #readModels(expected, minSeq) {
    const listed = await this.#listed(expected, minSeq);
    const rows = expected.flatMap((taskId) => {
      const [outcome] = this.tasks.get(taskId)?.outcomes ?? [];
      const shown = listed.get(taskId);
      return shown === outcome ? [] : [`task ${taskId} is listed as ${shown}, it is ${outcome}`];
    });
    const { byStatus } = await this.#client.tasks.metrics({ minSeq });
    const counted = Object.fromEntries([...OUTCOMES.values()].map((status) => [status, 0]));
    for (const { outcomes } of this.tasks.values()) for (const one of outcomes) counted[one]++;
    const figures = Object.entries(counted)
      .filter(([status, count]) => (byStatus[status] ?? 0) !== count)
      .map(([status, count]) => `metrics say ${byStatus[status]} ${status}, the log ${count}`);
    return [...rows, ...figures];
  }

  async #listed(expected, minSeq) {
    const instants = expected.map((taskId) => this.tasks.get(taskId)?.at ?? '').sort();
    const listed = new Map();
    let cursor;
    do {
      const page = await this.#client.tasks.query({
        ...(instants[0] && { createdAfter: before(instants[0]) }),
        ...(cursor && { cursor }),
        limit: PAGE,
        minSeq,
      });
      for (const { taskId, status } of page.tasks) listed.set(taskId, status);
      cursor = page.nextCursor;
    } while (cursor);
    return listed;
  }

  async #archive() {
    for (;;) {
      const verified = await this.#client.log.verify({ from: this.#verifiedTo + 1 });
      if (!verified.sound) return verified.findings.map(({ seq, flaw }) => `log ${seq}: ${flaw}`);
      this.#verifiedTo = verified.to;
      if (verified.nextFrom === null) return [];
    }
  }
}

const before = (instant) => new Date(Date.parse(instant) - 1).toISOString();
