import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AGENT_SETTING, type AgentMessage, type AgentSetting } from './agents/message.js';
import { AGENT_READY_MS_MAX, AGENT_RESTARTS_MAX, AGENT_STOP_MS_MAX } from './limits.js';

const PROGRAM = fileURLToPath(new URL('./agents/main.js', import.meta.url));

export interface CrewEvents {
  onMessage(message: AgentMessage): void;
  /** An agent died; `again` tells whether it was started anew. */
  onDeath(agentId: string, how: string, again: boolean): void;
}

interface Member {
  readonly setting: AgentSetting;
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
  async start(settings: readonly AgentSetting[]): Promise<void> {
    await Promise.all(
      settings.map(async (setting) => {
        const member = { setting, child: this.#fork(setting), restarts: 0 };
        this.#members.push(member);
        await ready(member.child, setting.agentId);
        this.#watch(member);
      }),
    );
  }

  /** Ends every process, by force if need be. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#members.map(({ child }) => end(child)));
  }

  #fork(setting: AgentSetting): ChildProcess {
    const child = fork(PROGRAM, [], {
      env: { ...process.env, [AGENT_SETTING]: JSON.stringify(setting) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message) => this.#events.onMessage(message as AgentMessage));
    return child;
  }

  #watch(member: Member): void {
    member.child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      const again = member.restarts < AGENT_RESTARTS_MAX;
      this.#events.onDeath(member.setting.agentId, signal ?? `status ${code}`, again);
      if (!again) return;
      member.restarts += 1;
      member.child = this.#fork(member.setting);
      this.#watch(member);
    });
  }
}

function ready(child: ChildProcess, agentId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = `agent ${agentId} was not ready within ${AGENT_READY_MS_MAX} ms`;
    const timer = setTimeout(() => done(new Error(late)), AGENT_READY_MS_MAX);
    const onExit = (code: number | null, signal: string | null): void =>
      done(
        new Error(`agent ${agentId} ended with ${signal ?? `status ${code}`} before it was ready`),
      );
    const onMessage = (message: unknown): void => {
      if ((message as AgentMessage).type === 'ready') done();
    };
    const done = (error?: Error): void => {
      clearTimeout(timer);
      child.off('exit', onExit);
      child.off('message', onMessage);
      if (error) reject(error);
      else resolve();
    };
    child.on('exit', onExit);
    child.on('message', onMessage);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), AGENT_STOP_MS_MAX);
  await gone;
  clearTimeout(force);
}
