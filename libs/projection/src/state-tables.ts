/** The only tables that hold partitions' states, by the aggregate in the partition's name. */
export const STATE_TABLES = {
  task: 'task_state',
  agent: 'agent_state',
  router: 'router_state',
  access: 'access_state',
} as const;

export type StateTable = (typeof STATE_TABLES)[keyof typeof STATE_TABLES];

/** `task.0` → `task_state`. Throws where no table holds such partitions. */
export function stateTableOf(partition: string): StateTable {
  const aggregate = partition.slice(0, partition.indexOf('.'));
  if (!Object.hasOwn(STATE_TABLES, aggregate)) {
    throw new Error(`no table holds the state of ${JSON.stringify(partition)}`);
  }
  return STATE_TABLES[aggregate as keyof typeof STATE_TABLES];
}
