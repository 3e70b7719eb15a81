import { releaseSession } from '@athena/contracts';
import { sleep, type Timers } from '@athena/event-log';
import type { OperationCaller } from '@athena/service-kit';
import type { RouterState } from '../domain/router-state.js';

export const RELEASES_IN_FLIGHT_MAX = 256;
const RETRY_FIRST_MS = 250;
const RETRY_MS_MAX = 5_000;

/** A session that is over, and the event that says so. */
export interface EndedSession {
  readonly project: string;
  readonly agentId: string;
  readonly session: number;
  /** The agent does not get this work again before it registers anew. */
  readonly exclude: boolean;
  /** `<position>.<index>` of the event. */
  readonly source: string;
}

export interface ReleaseOptions {
  readonly operations: OperationCaller;
  readonly state: RouterState;
  readonly timers: Timers;
  readonly onFailure?: (error: unknown) => void;
}

interface Release extends EndedSession {
  readonly partition: number;
}

/**
 * AgentSessionEnded → `task.releaseSession` on every task partition, repeated until acknowledged.
 * It needs no cursor: whoever takes over sees in its fold which work rests on ended sessions.
 */
export class ReleaseOnSessionEnded {
  readonly #options: ReleaseOptions;
  readonly #waiting: Release[] = [];
  #inFlight = 0;
  #stopped = false;

  constructor(options: ReleaseOptions) {
    this.#options = options;
  }

  react(ended: EndedSession): void {
    for (const partition of this.#options.state.partitions)
      this.#waiting.push({ ...ended, partition });
    this.#next();
  }

  /** Reacts to all that the fold holds unreleased, also to what is under way already. */
  resume(): void {
    for (const agent of this.#options.state.fleet.agents()) {
      const { project, agentId, registered } = agent;
      const holds = [...agent.held].flatMap(({ hold }) => hold ?? []);
      if (holds.some(({ session }) => session <= agent.ended.session)) {
        this.react({ project, agentId, ...agent.ended });
      } else if (!registered && holds.length > 0) {
        const session = Math.max(...holds.map((hold) => hold.session));
        const source = `${Math.max(...holds.map(({ seq }) => seq))}.0`;
        this.react({ project, agentId, session, exclude: false, source });
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#inFlight < RELEASES_IN_FLIGHT_MAX) {
      const release = this.#waiting.shift();
      if (!release) return;
      this.#inFlight++;
      void this.#untilAcknowledged(release).finally(() => {
        this.#inFlight--;
        this.#next();
      });
    }
  }

  async #untilAcknowledged(release: Release): Promise<void> {
    const { operations, timers, onFailure } = this.#options;
    const { partition, agentId, session, exclude, project, source } = release;
    const id = `release-on-session-ended.${source}.${partition}`;
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        const input = { partition, agentId, session, exclude };
        await operations.call(releaseSession, input, { project, actor: 'system:router', id });
        return;
      } catch (error) {
        onFailure?.(error);
        await sleep(timers, Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** failures));
      }
    }
  }
}
