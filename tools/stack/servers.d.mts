/** Where a server runs. Without `dir` it gets a temporary folder that `stop()` removes. */
export interface ServerOptions {
  /** Made if missing. Data, passwords and logs are kept in it, so a second start continues. */
  readonly dir?: string;
  /** A free loopback port is chosen when left out. */
  readonly port?: number;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves once the process is gone, whatever ended it. */
  readonly exited: Promise<unknown>;
  /** Graceful stop; resolves when the process is gone. */
  stop(): Promise<void>;
  /** `kill -9`; resolves when the process is gone. Start again with the same dir and port. */
  kill(): Promise<void>;
}

export interface NatsUser {
  readonly user: string;
  readonly password: string;
}

export interface RunningNats extends RunningServer {
  /** Account CORE: JetStream and all service subjects. */
  readonly core: NatsUser;
  /** Account SYS. */
  readonly sys: NatsUser;
  /** Account AUTH: answers `$SYS.REQ.USER.AUTH`. */
  readonly callout: NatsUser;
  /** Account seed (`SA…`) that signs the callout's answers. */
  readonly calloutSeed: string;
  /** Its public key (`A…`). */
  readonly calloutIssuer: string;
  /** The environment that Athena's processes expect for this server. */
  readonly env: {
    readonly NATS_URL: string;
    readonly ATHENA_NATS_USER: string;
    readonly ATHENA_NATS_PASSWORD: string;
    readonly ATHENA_NATS_SYS_USER: string;
    readonly ATHENA_NATS_SYS_PASSWORD: string;
    readonly ATHENA_NATS_CALLOUT_USER: string;
    readonly ATHENA_NATS_CALLOUT_PASSWORD: string;
    readonly ATHENA_NATS_CALLOUT_SEED: string;
  };
}

export interface RunningPostgres extends RunningServer {
  readonly host: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly env: { readonly DATABASE_URL: string };
}

/**
 * Starts a nats-server with Athena's accounts, auth callout and JetStream (fsync on every write).
 * It ends with this process, however this process ends.
 */
export function startNats(options?: ServerOptions): Promise<RunningNats>;

/** Starts Postgres with an empty database `athena` (fsync on). It ends with this process. */
export function startPostgres(options?: ServerOptions): Promise<RunningPostgres>;
