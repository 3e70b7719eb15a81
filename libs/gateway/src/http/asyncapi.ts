import {
  INTERNAL,
  INVALID_INPUT,
  OUTCOME_UNKNOWN,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  UNAVAILABLE,
  agentSubject,
  apiSubject,
  type Operation,
} from '@athena/operation';
import { ITEM_VERBS, statusOfKind, takesField } from '@athena/service-kit';
import { isForApps } from '../callout/grant.js';
import { answerOrMany, messageSchemas, oneOrMany, verbName } from './asyncapi-schemas.js';
import { inputName, outputName, schemaRef, type Json } from './openapi-schemas.js';

/** An AsyncAPI 3.0 document; only what others build on is spelled out. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly channels: Record<string, Json>;
  readonly operations: Record<string, Json>;
  readonly components: { readonly schemas: Record<string, Json> } & Record<string, unknown>;
  readonly [more: string]: unknown;
}

/** A subject on which Athena answers requests. */
interface Door {
  readonly id: string;
  readonly address: string;
  readonly parameters: Json;
  readonly operation: Operation;
  readonly input: Json;
  readonly output: Json;
  /** Of a request and of its answer. */
  readonly headers: readonly [Json | null, Json | null];
}

/** Refusals that any request over NATS may be answered with. */
const ALWAYS = [INVALID_INPUT, OVERLOADED, INTERNAL, UNAVAILABLE, PAYLOAD_TOO_LARGE];
const DESCRIPTION =
  'A control plane for fleets of agents, over NATS: plain JSON, request and reply. An agent ' +
  'connects as `<project>.<agentId>`, an application as `<project>.app.<name>`, with an API key as ' +
  'password and `_INBOX.<user>` as the prefix of its inboxes. Either may publish only its own subjects.';

/** Of every operation that agents or applications reach over NATS. Pure. */
export function asyncApiDocument(operations: readonly Operation[]): AsyncApiDocument {
  const apps = operations.filter(isForApps);
  const verbs = operations.filter(({ agentVerb }) => agentVerb !== undefined);
  const doors = [...apps.map(appDoor), ...verbs.map(agentDoor)];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Athena',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { nats: server },
    channels: Object.fromEntries(doors.flatMap(channelsOf)),
    operations: Object.fromEntries(doors.map((door) => [door.id, requestReply(door)])),
    components: {
      securitySchemes: {
        key: { type: 'userPassword', description: 'The password is an API key.' },
      },
      parameters,
      schemas: messageSchemas(apps, verbs),
    },
  };
}

const server: Json = {
  host: '{host}',
  protocol: 'nats',
  variables: { host: { default: '127.0.0.1:4222' } },
  security: [{ $ref: '#/components/securitySchemes/key' }],
};

const parameters: Json = {
  project: { description: 'Of the API key.' },
  agentId: { description: 'Who asks. 1–128 of A–Z a–z 0–9 _ -' },
};
const parametersOf = (...names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/parameters/${name}` }]));

function appDoor(operation: Operation): Door {
  const one = [schemaRef(inputName(operation)), schemaRef(outputName(operation))] as const;
  const many = !takesField(operation, 'items');
  return {
    id: `app.${operation.name}`,
    address: apiSubject('{project}', operation.name),
    parameters: parametersOf('project'),
    operation,
    input: many ? oneOrMany(one[0]) : one[0],
    output: many ? answerOrMany(one[1]) : one[1],
    headers: [takesField(operation, 'idempotencyKey') ? idempotencyKey : null, seq],
  };
}

function agentDoor(operation: Operation): Door {
  const { agentVerb = '' } = operation;
  const one = [schemaRef(verbName(operation)), schemaRef(outputName(operation))] as const;
  const many = ITEM_VERBS.has(agentVerb);
  return {
    id: `agent.${agentVerb}`,
    address: agentSubject('{project}', '{agentId}', agentVerb),
    parameters: parametersOf('project', 'agentId'),
    operation,
    input: many ? oneOrMany(one[0]) : one[0],
    output: many ? answerOrMany(one[1]) : one[1],
    headers: [null, null],
  };
}

const headersOf = (properties: Json, required?: readonly string[]): Json => ({
  type: 'object',
  properties,
  ...(required && { required }),
});
const idempotencyKey = headersOf({
  'Idempotency-Key': {
    type: 'string',
    description: 'A repeat with the same key and the same input changes nothing more.',
  },
});
const seq = headersOf({
  'Athena-Seq': {
    type: 'string',
    description: 'Log position that the answer reflects; give it as `minSeq` to later reads.',
  },
});

/** Requests go to one channel; answers come to the requester's inbox, whatever its name. */
function channelsOf({ id, address, parameters: places, ...door }: Door): [string, Json][] {
  const [asked, answered] = door.headers;
  const request = { payload: door.input, ...(asked && { headers: asked }) };
  const answer = { payload: door.output, ...(answered && { headers: answered }) };
  const refusal = refusalOf(door.operation);
  return [
    [id, { address, parameters: places, messages: { request } }],
    [`${id}.reply`, { address: null, messages: { answer, refusal } }],
  ];
}

/** As in the convention of NATS services: two headers, and the detail in the body. */
function refusalOf({ kind, refusals }: Operation): Json {
  const all = [...ALWAYS, ...(kind === 'command' ? [OUTCOME_UNKNOWN] : []), ...refusals];
  const codes = [...new Set(all.map(({ code }) => code))];
  const statuses = new Set(all.map((one) => String(statusOfKind(one.kind))));
  const properties = {
    'Nats-Service-Error': { type: 'string', enum: codes },
    'Nats-Service-Error-Code': { type: 'string', enum: [...statuses].sort() },
  };
  return {
    headers: headersOf(properties, Object.keys(properties)),
    payload: schemaRef('Refusal'),
  };
}

function requestReply({ id, operation }: Door): Json {
  const messageRef = (channel: string, name: string): Json => ({
    $ref: `#/channels/${channel}/messages/${name}`,
  });
  return {
    action: 'receive',
    summary: operation.summary,
    channel: { $ref: `#/channels/${id}` },
    messages: [messageRef(id, 'request')],
    reply: {
      channel: { $ref: `#/channels/${id}.reply` },
      messages: [messageRef(`${id}.reply`, 'answer'), messageRef(`${id}.reply`, 'refusal')],
    },
  };
}
