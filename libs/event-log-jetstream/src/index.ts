export { ensureStream } from './ensure-stream.js';
export type { StreamWatch } from './ensure-stream.js';
export { JetStreamLog } from './jetstream-log.js';
export { KvLease } from './kv-lease.js';
export { STREAM_NAME } from './stream-config.js';
export type { Drift } from './stream-config.js';
