export const LEASE_BUCKET = 'athena_leases';
export const LEASE_STREAM = `KV_${LEASE_BUCKET}`;
const BUCKET_BYTES_MAX = 8 * 1024 * 1024;
const VALUE_BYTES_MAX = 1024;

export interface LeaseStorage {
  /** Memory is the default: a lost bucket is made again, and safety never rests on it. */
  readonly storage?: 'memory' | 'file';
  readonly replicas?: number;
}

export const leaseSubject = (role: string): string => `$KV.${LEASE_BUCKET}.${role}`;

/** The stream of a key-value bucket (NATS ADR-8) with one revision per key. */
export const leaseBucket = ({ storage = 'memory', replicas = 1 }: LeaseStorage): object => ({
  name: LEASE_STREAM,
  subjects: [`$KV.${LEASE_BUCKET}.>`],
  storage,
  num_replicas: replicas,
  retention: 'limits',
  discard: 'new',
  max_msgs_per_subject: 1,
  max_bytes: BUCKET_BYTES_MAX,
  max_msg_size: VALUE_BYTES_MAX,
  max_age: 0,
  allow_rollup_hdrs: true,
  deny_delete: true,
  allow_direct: true,
});
