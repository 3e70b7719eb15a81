const STAGES = ['extract', 'measure', 'analyse', 'merge', 'rank', 'report'];
/** Without a terminal: a line whenever this share of all tasks is done. */
const LINE_EVERY = 0.1;

export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Counts finished tasks and shows them: in place on a terminal, else line by line. */
export class Progress {
  readonly #screen: Screen;
  readonly #open = new Map<string, string>();
  readonly #totals = new Map<string, number>();
  /** Finished before they were expected: tasks are done while others are still being submitted. */
  readonly #early = new Set<string>();
  #total = 0;
  #shownShare = -1;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  get done(): number {
    return this.#total - this.#open.size;
  }

  /** `tasks`: type by task id. */
  expect(tasks: ReadonlyMap<string, string>): void {
    for (const [taskId, type] of tasks) {
      const stage = type.replace(/^research\./, '');
      if (!this.#early.delete(taskId)) this.#open.set(taskId, stage);
      this.#totals.set(stage, (this.#totals.get(stage) ?? 0) + 1);
    }
    this.#total += tasks.size;
    this.#show();
  }

  finished(taskId: string): void {
    if (this.#open.delete(taskId)) this.#show();
    else if (this.#total === 0) this.#early.add(taskId);
  }

  /** A line of its own, whatever is being shown. */
  say(text: string): void {
    this.#screen.write(`${this.#screen.isTTY ? '\r\x1b[K' : ''}research: ${text}\n`);
  }

  /** Leaves the last state on the screen. */
  end(): void {
    if (this.#screen.isTTY && this.#total > 0) this.#screen.write('\n');
  }

  #show(): void {
    const share = this.#total === 0 ? 0 : this.done / this.#total;
    if (this.#screen.isTTY) {
      this.#screen.write(`\r\x1b[Kresearch: ${this.#state()}`);
    } else if (this.done === this.#total || share - this.#shownShare >= LINE_EVERY) {
      this.#shownShare = share;
      this.#screen.write(`research: ${this.#state()}\n`);
    }
  }

  #state(): string {
    const open = [...this.#open.values()];
    const stages = STAGES.filter((stage) => this.#totals.has(stage)).map((stage) => {
      const total = this.#totals.get(stage) as number;
      return `${stage} ${total - open.filter((one) => one === stage).length}/${total}`;
    });
    return `${this.done}/${this.#total} tasks (${stages.join(', ')})`;
  }
}
