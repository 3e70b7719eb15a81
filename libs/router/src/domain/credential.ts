import type { Actor } from '@athena/operation';

/** Whether an actor with an API key is the agent that this credential belongs to. */
export function isOwn(actor: Actor, credential: string | undefined): boolean {
  const at = actor.indexOf(':');
  const [role, name] = [actor.slice(0, at), actor.slice(at + 1)];
  if (role === 'key' || role === 'agent-key') return credential === name;
  return role === 'app' && credential === actor;
}
