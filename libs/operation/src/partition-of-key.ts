const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const LCG = 2862933555777941757n;
const TWO_31 = 2 ** 31;

/**
 * The partition that takes creates with this idempotency key where there are so many partitions.
 * Jump consistent hash (Lamping and Veach, 2014) of FNV-1a: when partitions are added, a key stays
 * where it is or moves to a new one.
 */
export function partitionOfKey(project: string, key: string, partitions: number): number {
  let state = fnv1a(`${project}/${key}`);
  let [bucket, next] = [-1, 0];
  while (next < partitions) {
    bucket = next;
    state = BigInt.asUintN(64, state * LCG + 1n);
    next = Math.floor((bucket + 1) * (TWO_31 / (Number(state >> 33n) + 1)));
  }
  return bucket;
}

function fnv1a(text: string): bigint {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return hash;
}
