export { newAggregateId, partitionOfId, timeOfId, withPartition } from './aggregate-id.js';
export { deepestIssue } from './deepest-issue.js';
export { defineEvent } from './event.js';
export type { EventDefinition, EventOf, NewEvent } from './event.js';
export { fingerprintOf } from './fingerprint.js';
export { defineCommand, defineQuery } from './operation.js';
export type { HttpBinding, Input, Operation, Output, RawInput, Scope } from './operation.js';
export { partitionOfKey } from './partition-of-key.js';
export { Refused, allRefusals, defineRefusal, findRefusal, refuse } from './refusal.js';
export type { Refusal, RefusalDefinition, RefusalKind } from './refusal.js';
export {
  FORBIDDEN,
  INTERNAL,
  INVALID_INPUT,
  NOT_CAUGHT_UP,
  NOT_OWNER,
  INCOMPATIBLE_PEER,
  OUTCOME_UNKNOWN,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNKNOWN_OPERATION,
} from './refusals.js';
export {
  CONTACT_SUBJECT,
  PROTOCOL,
  agentSubject,
  apiSubject,
  partitionFor,
  partitionSubject,
  serviceSubject,
} from './wire.js';
export type { Actor, WireAnswer, WireCommand, WireReply, WireRequest } from './wire.js';
