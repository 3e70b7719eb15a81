import { describe, expect, it } from '@jest/globals';
import { check, simulate, type Recorded } from '../simulation.js';

const SEEDS = 25;
const FROM = 1;
const TOGETHER_MS_MAX = 120_000;

const hashes = ({ commits }: Recorded): string[] => commits.map(({ hash }) => hash);

describe('everything in memory, under faults', () => {
  it(
    `keeps what is promised (${SEEDS} seeds from ${FROM}; more: npm run sim)`,
    async () => {
      for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
        const violations = check(await simulate(seed));
        expect({ seed, violations }).toEqual({ seed, violations: [] });
      }
    },
    TOGETHER_MS_MAX,
  );

  it('is the same for the same seed', async () => {
    const first = await simulate(FROM);
    expect(hashes(await simulate(FROM))).toEqual(hashes(first));
    expect(hashes(await simulate(FROM + 1))).not.toEqual(hashes(first));
  });
});
