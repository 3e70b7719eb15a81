import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFaults } from './chaos.mjs';
import { MATRIX, QUICK, choose } from './faults.mjs';

const FAULTS = 1;
/** Two seconds are the goal; a machine that runs other tests at the same time gets more. */
const TAKE_OVER_MS_MAX = 4_000;

test('the matrix is gone through as a whole, in an order that the seed gives', () => {
  const names = (seed) => choose(MATRIX.length, seed).map(({ name }) => name);
  assert.deepEqual(names(7), names(7));
  assert.notDeepEqual(names(7), names(8));
  assert.equal(new Set(names(7)).size, MATRIX.length);
});

test('under faults every task has one outcome, and everything that is shown agrees', async () => {
  const seed = Math.floor(Math.random() * 1e6);
  const load = { agents: 10, tasks: 120, loadMs: 2_000, report: (line) => console.log(line) };
  const rounds = await runFaults({ ...load, faults: choose(FAULTS, seed, QUICK) });
  assert.equal(rounds.length, FAULTS);
  for (const { fault, findings, takeOverMs } of rounds) {
    assert.deepEqual(findings, [], `${fault}, seed ${seed}`);
    const slowest = Math.max(0, ...Object.values(takeOverMs));
    assert.ok(slowest < TAKE_OVER_MS_MAX, `${fault}, seed ${seed}: ${JSON.stringify(takeOverMs)}`);
  }
});
