import type { Clock, Timers } from '@athena/event-log';
import { NatsLink, type Bus } from '@athena/service-kit/wire';
import type { PresenceBook } from '../domain/presence.js';
import { ContactListener } from './contact-listener.js';
import { DisconnectWatch } from './disconnect-watch.js';
import type { OwnedRegistry } from './owned-registry.js';
import { SilenceWatch } from './silence-watch.js';
import { SystemAccount, type SystemAccountOptions } from './system-account.js';

export interface PresenceWatchOptions {
  /** Of account CORE: contacts are heard on it. */
  readonly nats: Bus;
  readonly registry: OwnedRegistry;
  readonly book: PresenceBook;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Without it dead agents are noticed by their silence alone. */
  readonly system?: SystemAccountOptions;
  readonly failed: (error: unknown, where: string) => void;
}

/** Everything by which this process learns who is there and who is not. */
export class PresenceWatch {
  readonly #options: PresenceWatchOptions;
  #stops: readonly (() => unknown)[] = [];

  constructor(options: PresenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { nats, book, clock, failed } = this.#options;
    const link = NatsLink.of(nats);
    const onUnreadable = (error: unknown): void => failed(error, 'contacts');
    const contacts = new ContactListener({ ...this.#options, onUnreadable });
    const silence = new SilenceWatch({ ...this.#options, connected: () => link.connected });
    silence.start();
    this.#stops = [
      () => contacts.stop(),
      () => silence.stop(),
      link.onChange((connected) => connected && book.restart(clock.now())),
      this.#watchDisconnects(),
    ];
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
    this.#stops = [];
  }

  /** The server may be away when the process starts; it is waited for in the background. */
  #watchDisconnects(): () => Promise<void> {
    const { system: credentials, failed } = this.#options;
    if (!credentials) return () => Promise.resolve();
    const onError = (error: unknown): void => failed(error, 'system account');
    let stopped = false;
    let close = (): Promise<void> => Promise.resolve();
    const begin = (system: SystemAccount): void => {
      if (stopped) return void system.close();
      const watch = new DisconnectWatch({ ...this.#options, system, onError });
      close = () => {
        watch.stop();
        return system.close();
      };
    };
    SystemAccount.open(credentials).then(begin).catch(onError);
    return () => {
      stopped = true;
      return close();
    };
  }
}
