import { partitionOfId } from './aggregate-id.js';
import type { Operation } from './operation.js';
import type { Refusal } from './refusal.js';

/*
 * How operations travel between our own processes (account CORE): plain JSON, many items in one
 * message. Outside forms (REST, agents' verbs, applications' subjects) are translated to this at
 * the edge, where inputs are checked and identities established.
 */

/**
 * The version of what our processes say to each other and of how they write the log; grows when an
 * older process would misread a newer one. Processes of different versions refuse each other.
 */
export const PROTOCOL = 1;

/** Who asks. `key:<id>` a person's or program's key · `agent-key:<id>` a key that may only be an
 * agent · `agent:<agentId>` an agent, from its subject · `app:<name>` · `system:<service>`. */
export type Actor = string;

/** A command or query on its way. `input` has passed the operation's schema. */
export interface WireCommand {
  /** The same for every repeat. Of a create it is the proposed id of what is created. */
  readonly id: string;
  readonly op: string;
  readonly project: string;
  readonly actor: Actor;
  readonly correlation?: string;
  readonly input: unknown;
}

export type WireAnswer =
  { readonly ok: unknown; readonly seq: number } | { readonly refusal: Refusal };

export interface WireRequest {
  /** What the caller speaks; absent: 1. */
  readonly protocol?: number;
  readonly items: readonly WireCommand[];
}

export interface WireReply {
  /** What the answering process speaks; absent: 1. */
  readonly protocol?: number;
  /** Of the partition's owner; a caller ignores answers of an epoch older than it has seen. */
  readonly epoch?: number;
  /** In the order of the request's items. */
  readonly items: readonly WireAnswer[];
}

/** Owners listen here, plainly (no queue group). */
export const partitionSubject = (aggregate: string, partition: number): string =>
  `athena.cmd.${aggregate}.${partition}`;

/** Every process of the service listens here in one queue group, named as the service. */
export const serviceSubject = (service: string, operation: string): string =>
  `athena.svc.${service}.${operation}`;

/**
 * Agents were heard from: `{ agents: [[project, agentId], …] }`, gathered, at most once a second.
 */
export const CONTACT_SUBJECT = 'athena.contact';

/** `athena.v1.<project>.<agentId>.<verb>`: agents, with their identity in the subject. */
export const agentSubject = (project: string, agentId: string, verb: string): string =>
  `athena.v1.${project}.${agentId}.${verb}`;

/** `athena.api.v1.<project>.<operation>`: applications over NATS. */
export const apiSubject = (project: string, operation: string): string =>
  `athena.api.v1.${project}.${operation}`;

/** The partition of the aggregate that a command is for. */
export function partitionFor(operation: Operation, id: string, input: unknown): number {
  if (!('partition' in operation.to) || operation.to.partition !== 'task') return 0;
  const fields = input as { partition?: number; taskId?: string; taskIds?: string[] };
  if (fields.partition !== undefined) return fields.partition;
  return partitionOfId(fields.taskId ?? fields.taskIds?.[0] ?? id);
}
