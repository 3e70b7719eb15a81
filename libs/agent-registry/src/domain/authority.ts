import type { AgentMode } from '@athena/contracts';
import type { Actor } from '@athena/operation';

/*
 * Who may act as, or on, an agent:
 *
 * `agent:<id>`      came over NATS; the auth callout bound the id to the credential at connect.
 *                   It is that agent and nobody else.
 * `agent-key:<key>` may only be agents: those bound to this key.
 * `key:` `app:`     is the agents that it registered, and operates every other: it may drain,
 *                   deregister, teach and report, but not register over nor keep alive.
 * `system:`         our own services, which pass on what they have heard.
 */
const split = (actor: Actor): { role: string; name: string } => {
  const at = actor.indexOf(':');
  return { role: actor.slice(0, at), name: actor.slice(at + 1) };
};

/** What an agent id is bound to by this actor; null where the actor brings no credential. */
export function credentialOf(actor: Actor): string | null {
  const { role, name } = split(actor);
  if (role === 'key' || role === 'agent-key') return name;
  return role === 'app' ? actor : null;
}

/** Whether the actor is this agent. An agent that nobody has bound yet is anybody's with a key. */
export function isAgent(actor: Actor, agentId: string, bound: string | null): boolean {
  const { role, name } = split(actor);
  if (role === 'agent') return name === agentId;
  const credential = credentialOf(actor);
  return credential !== null && (bound === null || bound === credential);
}

/** Whether the actor may act on agents that are not its own. */
export function isOperator(actor: Actor): boolean {
  const { role } = split(actor);
  return role === 'key' || role === 'app' || role === 'system';
}

/** Agents on NATS claim their work; whoever registers one by another door polls for it. */
export const modeOf = (actor: Actor): AgentMode =>
  split(actor).role === 'agent' ? 'claim' : 'poll';
