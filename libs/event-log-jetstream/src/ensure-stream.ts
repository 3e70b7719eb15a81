import type { NatsConnection } from '@nats-io/transport-node';
import { Connection } from './connection.js';
import { ERROR_CODE, JetStreamApi, JetStreamRefused } from './jetstream-api.js';
import { ReplyMultiplexer } from './reply-multiplexer.js';
import {
  STREAM_CONFIG_VERSION,
  STREAM_NAME,
  configVersionOf,
  driftOf,
  streamConfig,
  type Drift,
  type StreamConfig,
  type StreamOptions,
} from './stream-config.js';

export const NATS_VERSION_MIN = '2.12.0';
export const DRIFT_CHECK_MS = 10_000;

export interface EnsureStreamOptions extends StreamOptions {
  /**
   * Called when the live stream differs from what is expected, at once and then after every check
   * that finds something else than the one before; with an empty list when it is in order again.
   * Until then nothing should be written.
   */
  readonly onDrift: (drift: readonly Drift[]) => void;
  readonly checkMs?: number;
}

export interface StreamWatch {
  /** Compares now, without waiting for the next round. @throws LogUnavailable */
  check(): Promise<readonly Drift[]>;
  stop(): void;
}

/**
 * Makes the log's stream where there is none, brings an older one of ours up to date, and watches
 * that it stays as it should: permissions are the only thing that could stop an operator's
 * command from making it forget.
 */
export async function ensureStream(
  nc: NatsConnection,
  options: EnsureStreamOptions,
): Promise<StreamWatch> {
  requireVersion(nc.info?.version ?? '0.0.0');
  const expected = streamConfig(options);
  const replies = new ReplyMultiplexer(new Connection(nc));
  const api = new JetStreamApi(replies, options.stream ?? STREAM_NAME);
  try {
    await createOrUpdate(api, expected);
    return await watch(api, expected, options, () => replies.close());
  } catch (error) {
    replies.close();
    throw error;
  }
}

async function createOrUpdate(api: JetStreamApi, expected: StreamConfig): Promise<void> {
  const live = await liveConfig(api, expected);
  if (!live) {
    await api.ask(`STREAM.CREATE.${expected.name}`, expected).catch(unlessMadeMeanwhile);
  } else if (needsUpdate(live, expected)) {
    await api.ask(`STREAM.UPDATE.${expected.name}`, { ...live, ...expected });
  }
}

/** Updated are streams of an older version of ours, and those that may now be larger. */
function needsUpdate(live: StreamConfig, expected: StreamConfig): boolean {
  if (configVersionOf(live) !== STREAM_CONFIG_VERSION) {
    return configVersionOf(live) < STREAM_CONFIG_VERSION;
  }
  const [first, ...others] = driftOf(live, expected);
  const onlySize = first?.field === 'max_bytes' && others.length === 0;
  return onlySize && Number(live['max_bytes']) < Number(expected['max_bytes']);
}

async function liveConfig(api: JetStreamApi, { name }: StreamConfig): Promise<StreamConfig | null> {
  try {
    return (await api.ask<{ config: StreamConfig }>(`STREAM.INFO.${name}`, {})).config;
  } catch (error) {
    const none = error instanceof JetStreamRefused && error.errCode === ERROR_CODE.streamNotFound;
    if (none) return null;
    throw error;
  }
}

/** Another process was quicker; what it made is compared like any other. */
function unlessMadeMeanwhile(error: unknown): void {
  const made = error instanceof JetStreamRefused && error.errCode === ERROR_CODE.streamNameInUse;
  if (!made) throw error;
}

async function watch(
  api: JetStreamApi,
  expected: StreamConfig,
  { onDrift, checkMs = DRIFT_CHECK_MS }: EnsureStreamOptions,
  close: () => void,
): Promise<StreamWatch> {
  let known = '[]';
  const check = async (): Promise<readonly Drift[]> => {
    const drift = await driftNow(api, expected);
    const text = JSON.stringify(drift);
    if (text !== known) onDrift(drift);
    known = text;
    return drift;
  };
  await check();
  // A server that is away is asked again.
  const timer = setInterval(() => void check().catch(() => undefined), checkMs).unref();
  const stop = (): void => {
    clearInterval(timer);
    close();
  };
  return { check, stop };
}

/** A stream that is gone, or that the server won't show, has drifted too. */
async function driftNow(api: JetStreamApi, expected: StreamConfig): Promise<readonly Drift[]> {
  const gone = { field: 'name', expected: expected.name };
  try {
    const live = await liveConfig(api, expected);
    return live ? driftOf(live, expected) : [{ ...gone, found: undefined }];
  } catch (error) {
    if (!(error instanceof JetStreamRefused)) throw error;
    return [{ ...gone, found: error.message }];
  }
}

/** @throws where the server is too old to be trusted with the log */
export function requireVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = NATS_VERSION_MIN.split('.').map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  throw new Error(
    `nats-server ${version} is too old: it silently drops settings that the event log relies on. ` +
      `Run ${NATS_VERSION_MIN} or newer (set NATS_URL or NATS_SERVER_BIN).`,
  );
}
