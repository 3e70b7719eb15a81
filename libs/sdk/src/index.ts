export { Agent } from './agent/agent.js';
export type { PlainHandler, TaskContext, TellProgress, TypedHandler } from './agent/handlers.js';
export type { LogFields, Logger } from './agent/logger.js';
export type { AgentNotice, DropReason } from './agent/notices.js';
export type { AgentOptions } from './agent/options.js';
export type { Progress } from './agent/verbs.js';
export { AthenaClient } from './client.js';
export type { TaskGroup } from './client.js';
export { readConnectionFile } from './connection-file.js';
export type { Connection } from './connection-file.js';
export {
  AthenaError,
  BatchRefusedError,
  NonRetryable,
  TaskBlockedError,
  TaskCancelledError,
  TaskFailedError,
} from './errors.js';
export type { ClientErrorCode } from './errors.js';
export type { CallOptions } from './groups.js';
export type { HttpOptions } from './http/http-transport.js';
export type { NatsClientOptions } from './nats/nats-transport.js';
export type { Surroundings } from './surroundings.js';
export { defineTask } from './task/definition.js';
export type { TaskDefinition, TaskOptions } from './task/definition.js';
export { TaskHandle } from './task/handle.js';
export type { Dependency, SubmitOptions } from './task/submission.js';
export type { Time } from './time.js';
export type { WaitOptions } from './task/wait.js';
export type { WatchOptions } from './task/watch.js';
