import { MESSAGE_BYTES_MAX } from '@athena/event-log';

export const STREAM_NAME = 'ATHENA_EVENTS';
export const STREAM_SUBJECTS = 'athena.evt.>';
/** Raise it with every change to the fields below: a server with a higher one is not drift. */
export const STREAM_CONFIG_VERSION = 1;
export const CONFIG_VERSION_KEY = 'athena_config_version';

export interface StreamOptions {
  /** The most the log may take on disk; at most 70 % of the volume. Full: appends are refused. */
  readonly maxBytes: number;
  /** Copies: 1 on one machine, 3 in production. */
  readonly replicas?: number;
  readonly stream?: string;
}

/** A stream's configuration as the JetStream API has it. */
export interface StreamConfig {
  readonly name: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The stream of the log. Every field that could lose or alter events is set, and watched. */
export const streamConfig = ({ maxBytes, replicas = 1, stream }: StreamOptions): StreamConfig => ({
  name: stream ?? STREAM_NAME,
  subjects: [STREAM_SUBJECTS],
  storage: 'file',
  num_replicas: replicas,
  retention: 'limits',
  // A full log refuses; it never makes room by forgetting.
  discard: 'new',
  max_bytes: maxBytes,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_age: 0,
  max_consumers: -1,
  max_msg_size: MESSAGE_BYTES_MAX,
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
  allow_direct: true,
  compression: 'none',
  metadata: { [CONFIG_VERSION_KEY]: String(STREAM_CONFIG_VERSION) },
});

/** Options that must be off; the server leaves them out of its answer where they are. */
const MUST_BE_OFF = [
  'allow_atomic',
  'allow_batched',
  'allow_msg_counter',
  'allow_msg_schedules',
  'allow_msg_ttl',
  'discard_new_per_subject',
  'mirror',
  'mirror_direct',
  'no_ack',
  'persist_mode',
  'republish',
  'sealed',
  'sources',
  'subject_delete_marker_ttl',
  'subject_transform',
] as const;

export interface Drift {
  readonly field: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** Where the live stream is not what this version of the program expects; empty: all is well. */
export function driftOf(live: StreamConfig, expected: StreamConfig): readonly Drift[] {
  if (configVersionOf(live) > STREAM_CONFIG_VERSION) return [];
  const differing = Object.keys(expected)
    .filter((field) => field !== 'metadata')
    .map((field) => ({ field, expected: expected[field], found: live[field] }))
    .filter(({ expected: wanted, found }) => !same(wanted, found));
  const switchedOn = MUST_BE_OFF.filter((field) => !isOff(live[field])).map((field) => ({
    field,
    expected: undefined,
    found: live[field],
  }));
  return [...differing, ...switchedOn];
}

export function configVersionOf({ metadata }: StreamConfig): number {
  return Number(metadata?.[CONFIG_VERSION_KEY] ?? 0);
}

/** The server leaves out what is false. */
const same = (wanted: unknown, found: unknown): boolean =>
  JSON.stringify(wanted) === JSON.stringify(found ?? (wanted === false ? false : undefined));

const isOff = (value: unknown): boolean =>
  value === undefined || value === null || value === false || value === 0 || value === '';
