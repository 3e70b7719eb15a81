/*
 * The door for whoever serves or calls operations without hosting a process: no Nest, no Postgres.
 */
export { AgentDoor } from './agent-door.js';
export type { AgentVerb } from './agent-door.js';
export { ApiEndpoint } from './api-endpoint.js';
export type { Bus, BusListener, BusSubscription } from './bus.js';
export type { Called, Caller, OperationCaller, ServiceHandler } from './calling.js';
export { createTasksHandler } from './batch/create-tasks.js';
export { Contacts } from './contacts.js';
export type { EdgeObserver } from './edge-requests.js';
export type { HostedService } from './hosted.js';
export { NatsLink } from './nats-link.js';
export { OperationClient } from './operation-client.js';
export { PartitionedCaller } from './partitioned-caller.js';
export { PartitionHost } from './partition-host.js';
export type { PartitionHostObserver } from './partition-host.js';
export type { PartState } from './readiness.js';
export { ONE_PARTITION, TaskPartitions } from './task-partitions.js';
export { ServiceEndpoint } from './service-endpoint.js';
