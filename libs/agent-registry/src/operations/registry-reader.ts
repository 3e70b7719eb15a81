import { limits } from '@athena/contracts';
import type { EventLog, Seq } from '@athena/event-log';
import { Refused } from '@athena/operation';
import type { CaughtUp } from '@athena/projection';
import type { Called, Caller, OperationCaller } from '@athena/service-kit';
import type { Pool } from 'pg';
import { readFigures, type AgentFigures } from './agent-rows.js';
import { lateAgents, lookUpAgent, type LiveAgent } from './owner-queries.js';
import { rowReader, type ReadRows } from './read-rows.js';

/** A read of one agent waits this long for its figures to show what happened before it. */
const FIGURES_WAIT_MS = 500;
/** Lists don't wait longer than this to learn who is late. */
const LATE_BUDGET_MS = 500;

export interface RegistryReaderOptions {
  readonly calls: OperationCaller;
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'endSeq'>;
  /** The projections `agents` and `agent_records`. */
  readonly projections: readonly (CaughtUp & { readonly position: Seq })[];
}

/** What reads of one agent need: the registry's word on it, and its figures. */
export type AgentReader = Pick<RegistryReader, 'lookUp' | 'figures'>;

/** Reads for the operations of this service: of the registry's owner, and of the projections. */
export class RegistryReader {
  /** Rows of the projections. */
  readonly rows: ReadRows;
  readonly #options: RegistryReaderOptions;

  constructor(options: RegistryReaderOptions) {
    this.#options = options;
    this.rows = rowReader(options.pool);
  }

  /** @throws Refused AGENT_NOT_FOUND */
  lookUp(agentId: string, { project, actor }: Caller): Promise<Called<LiveAgent>> {
    return this.#options.calls.call(lookUpAgent, { agentId }, { project, actor });
  }

  /**
   * An agent's figures as of now: it waits for the projections to reach the log's end. Where they
   * are far behind, figures that are a little old are worth more than none.
   */
  async figures(project: string, agent: LiveAgent): Promise<AgentFigures> {
    const end = await this.#options.log.endSeq().catch(() => 0);
    await this.#reach(end, FIGURES_WAIT_MS).catch(unlessOther);
    return readFigures(this.rows, project, agent);
  }

  /**
   * Waits until lists show the position; returns one that they show for certain.
   * @throws Refused NOT_CAUGHT_UP
   */
  async reach(minSeq: Seq = 0): Promise<Seq> {
    if (minSeq > 0) await this.#reach(minSeq, limits.MIN_SEQ_WAIT_MS_MAX);
    const positions = this.#options.projections.map(({ position }) => position);
    return Math.max(minSeq, Math.min(...positions));
  }

  /** Agents that are present but late. Without an owner nobody knows: `fallback` or throws. */
  async late({ project, actor }: Caller, fallback?: readonly string[]): Promise<readonly string[]> {
    const caller = { project, actor, budgetMs: LATE_BUDGET_MS };
    try {
      const { output } = await this.#options.calls.call(lateAgents, {}, caller);
      return output.agentIds;
    } catch (error) {
      if (fallback && error instanceof Refused) return fallback;
      throw error;
    }
  }

  async #reach(seq: number, ms: number): Promise<void> {
    await Promise.all(this.#options.projections.map((projection) => projection.waitFor(seq, ms)));
  }
}

const unlessOther = (error: unknown): void => {
  if (!(error instanceof Refused)) throw error;
};
