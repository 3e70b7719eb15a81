import { expect, it } from '@jest/globals';
import { EventLoopWatch, STALL_MS_MAX } from './event-loop-watch.js';

it('remembers for a while that the event loop stood still', async () => {
  const watch = new EventLoopWatch();
  expect(watch.stallMs).toBe(0);

  const end = performance.now() + STALL_MS_MAX + 500;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 50));

  expect(watch.stallMs).toBeGreaterThanOrEqual(STALL_MS_MAX);
  watch.stop();
});
