import type { BusSubscription } from './bus.js';

/** A connection that is down never confirms the end of a subscription. */
const DRAIN_MS_MAX = 2_000;

/** Ends subscriptions: what has arrived is still delivered. May be called again. */
export async function drainAll(subscriptions: readonly BusSubscription[]): Promise<void> {
  const open = subscriptions.filter((each) => !each.isClosed() && !each.isDraining());
  const drained = Promise.all(open.map((each) => each.drain())).catch(() => undefined);
  await within(DRAIN_MS_MAX, drained);
}

/** Waits for work, but no longer than `ms`. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, enough]);
  clearTimeout(timer);
}
