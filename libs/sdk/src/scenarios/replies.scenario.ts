import { type Msg, headers } from '@nats-io/transport-node';
import { type Refusal, type RefusalDefinition, refuse } from '@athena/operation';

/** What a responder of a spec answers to one input: an output, or a refusal. */
export type Reply = { readonly ok: unknown } | { readonly refusal: Refusal };

export const ok = (output: unknown): Reply => ({ ok: output });

export const refused = (definition: RefusalDefinition, detail = 'said the spec'): Reply => ({
  refusal: refuse(definition, detail),
});

/** The inputs of a message: its items, or itself. */
export function inputsOf(message: Msg): { inputs: unknown[]; many: boolean } {
  const body: unknown = message.json();
  const { items } = body as { items?: unknown[] };
  return items ? { inputs: items, many: true } : { inputs: [body], many: false };
}

/** Answers as the protocol says: items as items; one refusal in headers and body. */
export function respond(message: Msg, replies: readonly Reply[], many: boolean): void {
  const items = replies.map((one) => ('ok' in one ? one.ok : one));
  if (many) return void message.respond(JSON.stringify({ items }));
  const [reply] = replies as [Reply];
  if ('ok' in reply) return void message.respond(JSON.stringify(reply.ok));
  const error = headers();
  error.set('Nats-Service-Error', reply.refusal.code);
  error.set('Nats-Service-Error-Code', '400');
  message.respond(JSON.stringify(reply.refusal), { headers: error });
}
