/* The door for whoever hosts task partitions without Nest and Postgres. */
export { taskVerbs } from './agent-verbs.js';
export { taskDecider } from './domain/decider.js';
export { recordOfRow } from './projections/task-row.js';
export type { TaskRow } from './projections/task-row.js';
export { tasks } from './projections/tasks.js';
export { TaskPartition } from './task-partition.js';
export type { TaskPartitionObserver } from './task-partition.js';
