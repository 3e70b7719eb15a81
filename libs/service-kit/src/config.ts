import { limits } from '@athena/contracts';
import { z } from 'zod';

/** The log's size where nothing else is said; at most 70 % of the volume should be given to it. */
const LOG_BYTES_DEFAULT = 4 * 1024 ** 3;
const LOG_BYTES_MIN = 16 * 1024 ** 2;

const secret = z.string().min(1);
const port = z.coerce.number().int().min(0).max(65_535);
const urlOf = (example: string, ...schemes: string[]): z.ZodType<string> =>
  z
    .string()
    .refine(
      (value) => value.split(',').every((one) => schemes.some((scheme) => one.startsWith(scheme))),
      `must look like ${example}`,
    );

/** `acme=3, lab=0.5` */
const weights = z.string().transform((text, context) => {
  const pairs = text.split(',').map((pair) => pair.trim().split('='));
  const map = new Map(pairs.map(([project = '', weight]) => [project.trim(), Number(weight)]));
  for (const [project, weight] of map) {
    if (project && weight >= limits.PROJECT_WEIGHT_MIN && weight <= limits.PROJECT_WEIGHT_MAX) {
      continue;
    }
    const { PROJECT_WEIGHT_MIN: min, PROJECT_WEIGHT_MAX: max } = limits;
    context.addIssue({
      code: 'custom',
      message: `must look like acme=3,lab=0.5, weights from ${min} to ${max}`,
    });
    return z.NEVER;
  }
  return map;
});

const schema = z.object({
  NATS_URL: urlOf('nats://127.0.0.1:4222 (several: with commas)', 'nats://', 'tls://'),
  ATHENA_NATS_USER: secret,
  ATHENA_NATS_PASSWORD: secret,
  ATHENA_NATS_SYS_USER: secret.optional(),
  ATHENA_NATS_SYS_PASSWORD: secret.optional(),
  ATHENA_NATS_CALLOUT_USER: secret.optional(),
  ATHENA_NATS_CALLOUT_PASSWORD: secret.optional(),
  ATHENA_NATS_CALLOUT_SEED: z.string().startsWith('SA', 'must be an account seed (SA…)').optional(),
  DATABASE_URL: urlOf('postgres://user:password@host:5432/athena', 'postgres://', 'postgresql://'),
  ATHENA_HOST: z.string().min(1).default('127.0.0.1'),
  ATHENA_HTTP_PORT: port.default(8080),
  ATHENA_ALLOWED_HOSTS: z.string().default(''),
  ATHENA_MANAGEMENT_PORT: port.default(9400),
  ATHENA_BOOTSTRAP_KEY: secret.optional(),
  ATHENA_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  ATHENA_LOG_MAX_BYTES: z.coerce.number().int().min(LOG_BYTES_MIN).default(LOG_BYTES_DEFAULT),
  ATHENA_TASK_PARTITIONS: z.coerce.number().int().min(1).max(limits.TASK_PARTITIONS_MAX).default(1),
  ATHENA_PROJECT_WEIGHTS: weights.default(new Map()),
  ATHENA_LOG_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
});

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Everything a process reads from its environment. */
export interface Config {
  readonly nats: {
    readonly servers: readonly string[];
    /** Account CORE. */
    readonly core: Credentials;
    /** Account SYS, where it is given: connects and disconnects are heard with it. */
    readonly sys: Credentials | null;
    /** What the auth callout needs; gateway only. */
    readonly callout: (Credentials & { readonly seed: string }) | null;
  };
  readonly databaseUrl: string;
  readonly host: string;
  /** The gateway's public port; 0 chooses a free one. */
  readonly httpPort: number;
  /** Host names beside those of loopback that MCP is served under, and to whose web pages. */
  readonly allowedHosts: readonly string[];
  readonly managementPort: number;
  /** An API key with every scope in the project `default`, made when there is none. */
  readonly bootstrapKey: string | null;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Partitions of tasks at least; of more than there are, the missing ones are added. */
  readonly taskPartitions: number;
  /** Of projects' turns when the router has tasks of several; of those not named: 1. */
  readonly projectWeights: ReadonlyMap<string, number>;
  /** The event log's stream: bytes on disk at most, and copies. */
  readonly stream: { readonly maxBytes: number; readonly replicas: number };
}

/** The environment is not as it must be; the message names every variable at fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The one reader of the environment. An empty variable counts as absent.
 * @throws ConfigError
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const present = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  const { data, error } = schema.safeParse(Object.fromEntries(present));
  if (!data) throw new ConfigError(explain(error.issues, env));
  return {
    nats: {
      servers: data.NATS_URL.split(','),
      core: { user: data.ATHENA_NATS_USER, password: data.ATHENA_NATS_PASSWORD },
      sys: credentials(data.ATHENA_NATS_SYS_USER, data.ATHENA_NATS_SYS_PASSWORD),
      callout: calloutOf(data),
    },
    databaseUrl: data.DATABASE_URL,
    host: data.ATHENA_HOST,
    httpPort: data.ATHENA_HTTP_PORT,
    allowedHosts: data.ATHENA_ALLOWED_HOSTS.match(/[^\s,]+/g) ?? [],
    managementPort: data.ATHENA_MANAGEMENT_PORT,
    bootstrapKey: data.ATHENA_BOOTSTRAP_KEY ?? null,
    logLevel: data.ATHENA_LOG_LEVEL,
    taskPartitions: data.ATHENA_TASK_PARTITIONS,
    projectWeights: data.ATHENA_PROJECT_WEIGHTS,
    stream: { maxBytes: data.ATHENA_LOG_MAX_BYTES, replicas: data.ATHENA_LOG_REPLICAS },
  };
}

function explain(
  issues: readonly z.core.$ZodIssue[],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const lines = issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `  ${name} ${env[name] ? message.toLowerCase() : 'is not set'}`;
  });
  return `The environment is incomplete or wrong:\n${lines.join('\n')}`;
}

const credentials = (user?: string, password?: string): Credentials | null =>
  user !== undefined && password !== undefined ? { user, password } : null;

function calloutOf(data: z.output<typeof schema>): Config['nats']['callout'] {
  const login = credentials(data.ATHENA_NATS_CALLOUT_USER, data.ATHENA_NATS_CALLOUT_PASSWORD);
  const seed = data.ATHENA_NATS_CALLOUT_SEED;
  return login && seed !== undefined ? { ...login, seed } : null;
}
