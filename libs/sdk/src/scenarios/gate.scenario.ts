import { Algorithms, encodeAuthorizationResponse, encodeUser } from '@nats-io/jwt';
import { fromPublic } from '@nats-io/nkeys';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { issuerFrom } from '../../../gateway/src/callout/issuer.js';

interface Question {
  readonly user_nkey: string;
  readonly server_id: { readonly id: string };
  readonly connect_opts: { readonly user?: string; readonly pass?: string };
}

export const KEY = 'key-of-the-spec';
const algorithm = { algorithm: Algorithms.v2 };

/** Lets in whoever knows KEY: an agent for its own verbs, an application for the operations. */
export function openGate(connection: NatsConnection, seed: string): void {
  const issuer = issuerFrom(seed);
  connection.subscribe('$SYS.REQ.USER.AUTH', {
    callback: (_error, message) => {
      void (async () => {
        const nats = questionOf(message);
        const server = fromPublic(nats.server_id.id);
        const user = fromPublic(nats.user_nkey);
        const name = nats.connect_opts.user ?? '';
        const claims = { ...algorithm, aud: 'AGENTS' };
        const answer =
          nats.connect_opts.pass === KEY
            ? { jwt: await encodeUser(name, user, issuer, rights(name), claims) }
            : { error: 'wrong key' };
        message.respond(await encodeAuthorizationResponse(user, server, issuer, answer, algorithm));
      })();
    },
  });
}

function questionOf(message: Msg): Question {
  const claims = Buffer.from(message.string().split('.')[1] ?? '', 'base64url');
  return (JSON.parse(claims.toString()) as { nats: Question }).nats;
}

function rights(user: string) {
  const [project, agentId] = user.split('.');
  const own = user.includes('.app.')
    ? `athena.api.v1.${project}.>`
    : `athena.v1.${project}.${agentId}.>`;
  return {
    pub: { allow: [own], deny: [] },
    sub: { allow: [`_INBOX.${user}.>`], deny: [] },
  };
}
