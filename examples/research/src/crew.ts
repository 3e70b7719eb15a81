import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentMessage } from './agents/message.js';
import { AGENT_READY_MS_MAX, AGENT_RESTARTS_MAX, AGENT_STOP_MS_MAX } from './limits.js';

/** An agent to be, in whatever language. */
export interface Recruit {
  readonly name: string;
  /** Starts its process, which tells what happens to it: that it is ready first. */
  start(tell: (message: AgentMessage) => void): ChildProcess;
}

export interface CrewEvents {
  onMessage(message: AgentMessage): void;
  /** An agent died; `again` tells whether it was started anew. */
  onDeath(name: string, how: string, again: boolean): void;
}

interface Member {
  readonly recruit: Recruit;
  child: ChildProcess;
  restarts: number;
}

/** The agents' processes. One that dies is started again, a few times. */
export class Crew {
  readonly #events: CrewEvents;
  readonly #members: Member[] = [];
  #stopping = false;

  constructor(events: CrewEvents) {
    this.#events = events;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Resolves when every agent is registered. @throws Error naming the one that could not start */
  async start(recruits: readonly Recruit[]): Promise<void> {
    await Promise.all(
      recruits.map(async (recruit) => {
        let onReady = (): void => {};
        const ready = new Promise<void>((resolve) => (onReady = resolve));
        const member = { recruit, child: this.#launch(recruit, onReady), restarts: 0 };
        this.#members.push(member);
        await inTime(ready, member);
        this.#watch(member);
      }),
    );
  }

  /** Ends every process, by force if need be. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#members.map(({ child }) => end(child)));
  }

  #launch(recruit: Recruit, onReady = (): void => {}): ChildProcess {
    return recruit.start((message) => {
      if (message.type === 'ready') onReady();
      this.#events.onMessage(message);
    });
  }

  #watch(member: Member): void {
    member.child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      const again = member.restarts < AGENT_RESTARTS_MAX;
      this.#events.onDeath(member.recruit.name, signal ?? `status ${code}`, again);
      if (!again) return;
      member.restarts += 1;
      member.child = this.#launch(member.recruit);
      this.#watch(member);
    });
  }
}

async function inTime(ready: Promise<void>, { child, recruit }: Member): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const late = async (): Promise<never> => {
    await sleep(AGENT_READY_MS_MAX, undefined, { signal });
    throw new Error(`agent ${recruit.name} was not ready within ${AGENT_READY_MS_MAX} ms`);
  };
  const dead = async (): Promise<never> => {
    const [code, ended] = (await once(child, 'exit', { signal })) as [number | null, string | null];
    throw new Error(
      `agent ${recruit.name} ended with ${ended ?? `status ${code}`} before it was ready`,
    );
  };
  await Promise.race([ready, late(), dead()]).finally(() => over.abort());
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), AGENT_STOP_MS_MAX);
  await gone;
  clearTimeout(force);
}
