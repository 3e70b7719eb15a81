import { sleep } from '@athena/event-log';
import { AthenaClient } from '@athena/sdk';
import type { Chance } from './chance.js';
import type { SimProcess } from './sim-process.js';

export const PROJECT = 'simulation';
export const CAPABILITIES = ['sing', 'dance'];
const PAUSE_MS_MAX = 1_200;
const BATCH_MAX = 6;

/** An application: it creates tasks, asks for them, calls some off, and insists. */
export class Application {
  readonly #process: SimProcess;
  readonly #chance: Chance;
  readonly #known: string[] = [];
  #made = 0;

  constructor(process: SimProcess, chance: Chance) {
    this.#process = process;
    this.#chance = chance;
  }

  /** Does so many things, one after the other; resolves when it is through. */
  async run(steps: number): Promise<void> {
    const { name, surroundings } = this.#process;
    const client = await AthenaClient.connectNats(
      { natsUrl: 'memory:', project: PROJECT, name, apiKey: 'ak_simulation' },
      surroundings,
    );
    for (let step = 0; step < steps; step += 1) {
      await sleep(this.#process, this.#chance.between(0, PAUSE_MS_MAX));
      // Refused, or nobody knows: what counts is what the log says of it.
      await this.#step(client).catch(() => undefined);
    }
  }

  #step(client: AthenaClient): Promise<unknown> {
    const known = this.#chance.oneOf(this.#known);
    const die = this.#chance.between(1, 20);
    if (die <= 4 && known) return client.tasks.get({ taskId: known });
    if (die <= 6 && known) return client.tasks.cancel({ taskId: known, reason: 'a whim' });
    if (die <= 9) return this.#createMany(client);
    return this.#create(client);
  }

  async #create(client: AthenaClient): Promise<void> {
    const task = this.#task();
    const key = { idempotencyKey: `${this.#process.name}-${this.#made}` };
    const create = (): Promise<{ taskId: string }> => client.tasks.create(task, key);
    const twice = this.#chance.happens(0.3) ? [create(), create()] : [create()];
    const answers = await Promise.allSettled(twice);
    for (const one of answers) if (one.status === 'fulfilled') this.#known.push(one.value.taskId);
  }

  async #createMany(client: AthenaClient): Promise<void> {
    const count = this.#chance.between(2, BATCH_MAX);
    const tasks = Array.from({ length: count }, () => this.#task());
    const key = { idempotencyKey: `${this.#process.name}-many-${this.#made}` };
    const { taskIds } = await client.tasks.createMany({ tasks }, key);
    for (const taskId of taskIds) if (taskId) this.#known.push(taskId);
  }

  #task() {
    const chance = this.#chance;
    this.#made += 1;
    const dependencies = [1, 2].flatMap(() =>
      chance.happens(0.15) ? (chance.oneOf(this.#known) ?? []) : [],
    );
    return {
      content: { marker: `${this.#process.name}/${this.#made}` },
      taskType: 'show',
      requirements: chance.happens(0.5) ? [chance.oneOf(CAPABILITIES) as string] : [],
      dependencies: [...new Set(dependencies)],
      ...(chance.happens(0.2) && { startToCloseMs: chance.between(1_000, 5_000) }),
      ...(chance.happens(0.1) && { delayMs: chance.between(1, 5_000) }),
    };
  }
}
