import { RouterService } from '@athena/router/parts';
import type { ServiceSurroundings } from './surroundings.js';

/** A process of the router, not started yet. */
export function newRouter(world: ServiceSurroundings): RouterService {
  const { log, lease, looks, onFault, onFailure } = world;
  return new RouterService({
    ...world,
    feed: log,
    lease: lease('router'),
    timers: looks,
    observer: { failed: onFailure, error: onFault, edge: { onError: onFault } },
  });
}
