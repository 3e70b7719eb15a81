import type { Commit, Seq } from '@athena/event-log';
import type { PoolClient } from 'pg';
import { followChains } from './chain.js';
import { advance, type CheckpointId, type ProjectionCheckpoint } from './checkpoints.js';
import type { ReadModel } from './read-model.js';

const BEGIN = 'begin';
const BEGIN_WITHOUT_FSYNC = 'begin; set local synchronous_commit to off';

/** Writes batches of commits into a read model, each with its checkpoint in one transaction. */
export class BatchWriter {
  readonly #client: PoolClient;
  readonly #model: ReadModel;
  readonly #id: CheckpointId;
  #checkpoint: ProjectionCheckpoint;

  constructor(
    client: PoolClient,
    model: ReadModel,
    id: CheckpointId,
    checkpoint: ProjectionCheckpoint,
  ) {
    this.#client = client;
    this.#model = model;
    this.#id = id;
    this.#checkpoint = checkpoint;
  }

  get checkpoint(): ProjectionCheckpoint {
    return this.#checkpoint;
  }

  /**
   * Answers with the number of rows touched.
   * @throws BrokenChain, Fenced, errors of pg; nothing of the batch then stands.
   */
  async write(commits: readonly Commit[], seen: Seq): Promise<number> {
    const heads = followChains(this.#checkpoint.heads, commits);
    const to = { seq: seen, heads };
    try {
      await this.#client.query(this.#model.durable ? BEGIN : BEGIN_WITHOUT_FSYNC);
      await advance(this.#client, this.#id, this.#checkpoint, to);
      const rows = commits.length > 0 ? await this.#model.write(this.#client, commits) : 0;
      await this.#client.query('commit');
      this.#checkpoint = { ...this.#checkpoint, ...to };
      return rows;
    } catch (error) {
      this.#model.forget();
      await this.#client.query('rollback').catch(() => undefined);
      throw error;
    }
  }
}
