import { bindAgent, type KeyRecord } from '@athena/contracts';
import type { Clock, EventLog, Ids } from '@athena/event-log';
import { Refused, type Operation } from '@athena/operation';
import type { OperationCaller } from '@athena/service-kit';
import {
  Algorithms,
  encodeAuthorizationResponse,
  encodeUser,
  type AuthorizationRequest,
  type User,
} from '@nats-io/jwt';
import { fromPublic, type KeyPair } from '@nats-io/nkeys';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { KeyTable } from '../access/key-table.js';
import { GATEWAY_ACTOR } from '../domain/access.js';
import type { LogSink } from '../http/access-log.js';
import { grantFor, parseClientName, type ClientName, type Grant } from './grant.js';
import { issuerFrom } from './issuer.js';

const QUESTIONS = '$SYS.REQ.USER.AUTH';
/** The account that agents and applications are let into. */
const ACCOUNT = 'AGENTS';
/** A connection lives at most this long, then it is asked about anew: so revocation ends it. */
export const CREDENTIAL_MS = 5 * 60_000;
/** Part of it that chance takes off, so that clients that came together do not return together. */
const CREDENTIAL_JITTER = 0.2;
/** Questions under way; more stay unanswered, and the client is told to come again. */
export const QUESTIONS_MAX = 1_000;
/** The server waits 4 s for an answer (`authorization.timeout`). */
const BIND_BUDGET_MS = 3_000;
/** A key that was made a moment ago, through another gateway, may not have arrived here yet. */
const UNKNOWN_KEY_WAIT_MS = 500;
/** Agents whose id is known to be bound to their key, so that they are not asked about again. */
const BOUND_MAX = 100_000;
const LOGGED_LENGTH_MAX = 300;

export interface AuthCalloutOptions {
  /** Connected as the callout's user of account AUTH. */
  readonly nats: NatsConnection;
  /** Seed of the account that the server trusts as issuer. */
  readonly seed: string;
  readonly keys: Pick<KeyTable, 'check' | 'reached'>;
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly caller: OperationCaller;
  readonly operations: readonly Operation[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly audit: LogSink;
  readonly credentialMs?: number;
}

type Verdict =
  | { readonly grant: Grant; readonly key: KeyRecord }
  | { readonly denied: string; readonly keyId?: string }
  /** Nothing can be said now: another gateway may, or the client comes again. */
  | 'silence';

/**
 * Answers the NATS server's question who a client is: an agent or an application that proves an
 * API key gets a short-lived credential for exactly its own subjects. Every gateway hears every
 * question (no queue group: a stopped member would swallow its share) and the first answer counts.
 */
export class AuthCallout {
  readonly #options: AuthCalloutOptions;
  readonly #issuer: KeyPair;
  readonly #subscription: Subscription;
  readonly #bound = new Map<string, string>();
  #underWay = 0;

  constructor(options: AuthCalloutOptions) {
    this.#options = options;
    this.#issuer = issuerFrom(options.seed);
    this.#subscription = options.nats.subscribe(QUESTIONS, {
      callback: (error, question) => {
        if (!error) void this.#serve(question);
      },
    });
  }

  close(): void {
    this.#subscription.unsubscribe();
  }

  async #serve(question: Msg): Promise<void> {
    if (this.#underWay >= QUESTIONS_MAX) return;
    this.#underWay++;
    try {
      await this.#answer(question, readClaims(question));
    } catch (error) {
      this.#options.audit.error({ err: error }, 'the auth callout failed');
    } finally {
      this.#underWay--;
    }
  }

  async #answer(question: Msg, asked: AuthorizationRequest): Promise<void> {
    const { user = '', pass = '' } = asked.connect_opts;
    const client = parseClientName(user);
    const verdict = await this.#judge(client, pass);
    if (verdict === 'silence') return;
    const denied = 'denied' in verdict;
    this.#note(asked, user, verdict);
    const answer = denied
      ? { error: verdict.denied }
      : { jwt: await this.#credential(asked, user, verdict) };
    const server = fromPublic(asked.server_id.id);
    const about = fromPublic(asked.user_nkey);
    const options = { algorithm: Algorithms.v2 };
    question.respond(
      await encodeAuthorizationResponse(about, server, this.#issuer, answer, options),
    );
  }

  async #judge(client: ClientName | null, password: string): Promise<Verdict> {
    if (!client) {
      return { denied: 'the user must be <project>.<agentId> or <project>.app.<name>' };
    }
    const check = await this.#check(password);
    if (!('key' in check)) {
      return check.refused === 'not_ready'
        ? 'silence'
        : { denied: `the password is no valid API key: ${check.refused}` };
    }
    const { key } = check;
    const grant = grantFor(client, key, this.#options.operations);
    if (typeof grant === 'string') return { denied: grant, keyId: key.keyId };
    return client.kind === 'agent' ? this.#bind(client, key, grant) : { grant, key };
  }

  async #check(password: string): Promise<ReturnType<KeyTable['check']>> {
    const { keys, log } = this.#options;
    const check = keys.check(password);
    if ('key' in check || check.refused !== 'unknown') return check;
    const end = await log.endSeq().catch(() => 0);
    await keys.reached(end, UNKNOWN_KEY_WAIT_MS);
    return keys.check(password);
  }

  /** An agent id belongs to the credential that came with it first. */
  async #bind(
    { project, agentId }: { project: string; agentId: string },
    key: KeyRecord,
    grant: Grant,
  ): Promise<Verdict> {
    const { keyId } = key;
    const name = `${project}.${agentId}`;
    if (this.#bound.get(name) === keyId) return { grant, key };
    try {
      const caller = { project, actor: GATEWAY_ACTOR, budgetMs: BIND_BUDGET_MS };
      await this.#options.caller.call(bindAgent, { agentId, credential: keyId }, caller);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, detail, retryable } = error.refusal;
      return retryable ? 'silence' : { denied: `${code}: ${detail}`, keyId };
    }
    if (this.#bound.size >= BOUND_MAX) this.#bound.clear();
    this.#bound.set(name, keyId);
    return { grant, key };
  }

  /**
   * A credential for this connection. It never outlives the key. Limits of subscriptions and
   * payload are not in it: the server takes none from a callout's answer (tried with 2.15.1).
   */
  #credential(
    { user_nkey: connection }: AuthorizationRequest,
    user: string,
    { grant, key }: { grant: Grant; key: KeyRecord },
  ): Promise<string> {
    const rights: Partial<User> = {
      pub: { allow: [...grant.publish], deny: [] },
      sub: { allow: [...grant.subscribe], deny: [] },
    };
    const exp = Math.floor(this.#endsAt(key) / 1_000);
    const options = { algorithm: Algorithms.v2, aud: ACCOUNT, exp };
    return encodeUser(user, fromPublic(connection), this.#issuer, rights, options);
  }

  #endsAt({ expiresAt }: KeyRecord): number {
    const { clock, ids, credentialMs = CREDENTIAL_MS } = this.#options;
    const chance = (ids.random(1)[0] as number) / 256;
    const endsAt = clock.now() + credentialMs * (1 - CREDENTIAL_JITTER * chance);
    return expiresAt === null ? endsAt : Math.min(endsAt, Date.parse(expiresAt));
  }

  #note(asked: AuthorizationRequest, user: string, verdict: Exclude<Verdict, 'silence'>): void {
    const fields = { user: user.slice(0, LOGGED_LENGTH_MAX), host: asked.client_info.host };
    const { audit } = this.#options;
    if ('denied' in verdict) {
      const { denied: reason, keyId } = verdict;
      audit.warn({ audit: 'denied', ...fields, keyId, reason }, 'a NATS client was denied');
    } else {
      audit.debug({ audit: 'admitted', ...fields, keyId: verdict.key.keyId }, 'NATS client');
    }
  }
}

/**
 * The question's claims. Its signature is not verified: account AUTH is the servers' and ours
 * alone, the signer names itself, and a verification in JavaScript takes 6 ms.
 */
function readClaims(question: Msg): AuthorizationRequest {
  const [, claims = ''] = question.string().split('.');
  const text = Buffer.from(claims, 'base64url').toString('utf8');
  return (JSON.parse(text) as { nats: AuthorizationRequest }).nats;
}
