import type { HttpBinding, Operation } from '@athena/operation';
import { AthenaClient, AthenaError } from '@athena/sdk';
import { connect } from '@nats-io/transport-node';
import { groups } from '../../../../libs/sdk/src/groups.js';
import {
  isForApps,
  refused,
  type Door,
  type Outcome,
  type Refused,
  type Surface,
} from './surface.scenario.js';

export const APP = 'parity';
type Fields = Record<string, unknown>;

/** Requests as a person would write them, from nothing but the operation's binding. */
export async function rest({ url, keys }: Door): Promise<Surface> {
  return {
    offers: () => true,
    async call({ operation }, input, as) {
      const { method, path, body } = requestOf(operation.http as HttpBinding, input as Fields);
      const answer = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${keys[as]}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      const told = (await answer.json()) as never;
      return answer.ok ? { answer: told } : refused(told);
    },
    close: async () => undefined,
  };
}

function requestOf({ method, path, query: names = {} }: HttpBinding, input: Fields) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const filled = inPath.reduce(
    (text, name) => text.replace(`{${name}}`, encodeURIComponent(String(input[name]))),
    path,
  );
  const left = Object.entries(input).filter(([name]) => !inPath.includes(name));
  if (method === 'POST' || method === 'PUT') {
    return { method, path: filled, body: Object.fromEntries(left) };
  }
  const renamed = new Map(Object.entries(names).map(([name, field]) => [field, name]));
  const query = new URLSearchParams(
    left.flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [renamed.get(name) ?? name, String(one)]),
    ),
  );
  return { method, path: `${filled}?${query.toString()}`, body: undefined };
}

/** Plain requests of a NATS client. */
export async function nats({ natsUrl, project, keys }: Door): Promise<Surface> {
  const user = `${project}.app.${APP}`;
  const login = { servers: natsUrl, user, pass: keys.own, inboxPrefix: `_INBOX.${user}` };
  const connection = await connect(login);
  return {
    offers: ({ operation }, as) => as === 'own' && isForApps(operation),
    async call({ operation }, input) {
      const subject = `athena.api.v1.${project}.${operation.name}`;
      const message = await connection.request(subject, JSON.stringify(input), { timeout: 10_000 });
      const code = message.headers?.get('Nats-Service-Error');
      return code
        ? refused({ ...message.json<Refused>(), code })
        : { answer: message.json<unknown>() };
    },
    close: () => connection.close(),
  };
}

/** The SDK's methods, over the one transport or the other. */
export async function sdk({ url, keys }: Door): Promise<Surface> {
  const clients = Object.entries(keys).map(async ([as, apiKey]) => {
    return [as, await AthenaClient.connect({ url, apiKey })] as const;
  });
  const byKey = Object.fromEntries(await Promise.all(clients)) as Record<string, AthenaClient>;
  return {
    offers: () => true,
    retries: true,
    call: ({ operation }, input, as) => outcomeOf(methodOf(byKey[as], operation)(input)),
    close: async () => void (await Promise.all(Object.values(byKey).map((one) => one.close()))),
  };
}

export async function sdkOverNats({ natsUrl, project, keys }: Door): Promise<Surface> {
  const client = await AthenaClient.connectNats({ natsUrl, project, name: APP, apiKey: keys.own });
  return {
    offers: ({ operation }, as) => as === 'own' && isForApps(operation),
    retries: true,
    call: ({ operation }, input) => outcomeOf(methodOf(client, operation)(input)),
    close: () => client.close(),
  };
}

type Method = (input: unknown) => Promise<unknown>;

function methodOf(client: unknown, wanted: Operation): Method {
  for (const [group, methods] of Object.entries(groups)) {
    const [name] = Object.entries(methods).find(([, one]) => one === (wanted as never)) ?? [];
    if (name) return (client as Record<string, Record<string, Method>>)[group]?.[name] as Method;
  }
  throw new Error(`the SDK has no method for ${wanted.name}`);
}

async function outcomeOf(called: Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await called };
  } catch (error) {
    if (error instanceof AthenaError) return refused(error);
    throw error;
  }
}
