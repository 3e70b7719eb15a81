/**
 * Ids of tasks are UUIDv8 (RFC 9562): 48 bits of Unix milliseconds, 12 bits of partition, 62 random
 * bits. They sort by time and name the partition that owns the task for good.
 */
const PARTITIONS_MAX = 4_096;

export function newAggregateId(now: number, partition: number, random: Uint8Array): string {
  if (partition < 0 || partition >= PARTITIONS_MAX) throw new RangeError('partition 0–4095');
  const time = Math.trunc(now).toString(16).padStart(12, '0');
  const shard = partition.toString(16).padStart(3, '0');
  const tail = Buffer.from(random.subarray(0, 8));
  tail[0] = ((tail[0] as number) & 0x3f) | 0x80;
  const hex = tail.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-8${shard}-${hex.slice(0, 4)}-${hex.slice(4)}`;
}

/** The same id, naming another partition. */
export const withPartition = (id: string, partition: number): string =>
  `${id.slice(0, 15)}${partition.toString(16).padStart(3, '0')}${id.slice(18)}`;

/** The partition that a task id names; 0 for ids that are not ours. */
export const partitionOfId = (id: string): number =>
  id[14] === '8' ? Number.parseInt(id.slice(15, 18), 16) : 0;

/** When the id was made, milliseconds. */
export const timeOfId = (id: string): number =>
  Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
