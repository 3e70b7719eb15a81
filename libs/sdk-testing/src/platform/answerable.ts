import { growPartitions } from '@athena/contracts';
import { Refused, UNKNOWN_OPERATION, type Operation } from '@athena/operation';
import type { OperationCaller, ServiceHandler } from '@athena/service-kit/wire';

/** Services that are here as a whole, or as partitions. */
const WHOLE: ReadonlySet<string> = new Set(['task', 'agent', 'router']);

/**
 * Refuses at once what nobody here can answer. Lists, statistics, insights and keys are read from
 * Postgres by SQL of their own; a second telling of them in memory would prove nothing.
 */
export function onlyAnswerable(
  calls: OperationCaller,
  handlers: readonly ServiceHandler[],
): OperationCaller {
  const handled = new Set(handlers.map(({ operation }) => operation.name));
  const isHere = ({ to, name }: Operation): boolean =>
    (WHOLE.has('partition' in to ? to.partition : to.service) && name !== growPartitions.name) ||
    handled.has(name);
  return {
    call(operation, input, caller) {
      if (isHere(operation)) return calls.call(operation, input, caller);
      const detail =
        `${operation.name} takes the whole platform, and the testing kit has no Postgres: ` +
        'read tasks and agents by id, or look at events(); test lists against a running Athena';
      return Promise.reject(Refused.because(UNKNOWN_OPERATION, detail));
    },
  };
}
