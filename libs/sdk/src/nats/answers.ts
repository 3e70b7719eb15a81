import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { AthenaError, clientError } from '../errors.js';
import type { Answer } from '../transport.js';

/*
 * Answers over NATS. One input: the output itself as JSON, or a refusal as in the NATS services
 * convention (headers Nats-Service-Error and Nats-Service-Error-Code, body {code, detail,
 * retryable}). `{ items: […] }`: `{ items: [output | { refusal }] }`, in the same order.
 */
const ERROR_HEADER = 'Nats-Service-Error';
const ERROR_CODE_HEADER = 'Nats-Service-Error-Code';
const SEQ_HEADER = 'Athena-Seq';

/** What became of one item: its answer, or why not. */
export type ItemAnswer = Answer | AthenaError;

interface RefusalBody {
  readonly code?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly field?: string;
  readonly requestId?: string;
}

/** @throws AthenaError for a refusal, INVALID_ANSWER for something that isn't JSON */
export function singleAnswer(message: Msg): Answer {
  const refused = refusalOf(message);
  if (refused) throw refused;
  return { output: jsonOf(message), seq: seqOf(message) };
}

/** @throws AthenaError if the whole message was refused or isn't an answer to `count` items */
export function itemAnswers(message: Msg, count: number): ItemAnswer[] {
  const refused = refusalOf(message);
  if (refused) throw refused;
  const { items } = (jsonOf(message) ?? {}) as { items?: unknown };
  if (!Array.isArray(items) || items.length !== count) {
    throw clientError('INVALID_ANSWER', `no list of ${count} items came back`);
  }
  const seq = seqOf(message);
  return items.map((item: unknown): ItemAnswer => {
    const { refusal } = (item ?? {}) as { refusal?: RefusalBody };
    return refusal ? refusalError(refusal, undefined) : { output: item, seq };
  });
}

const seqOf = (message: Msg): number | undefined => {
  const seq = message.headers?.get(SEQ_HEADER);
  return seq ? Number(seq) : undefined;
};

function refusalOf(message: Msg): AthenaError | undefined {
  const headers: MsgHdrs | undefined = message.headers;
  const name = headers?.get(ERROR_HEADER);
  if (!name) return undefined;
  const status = Number(headers?.get(ERROR_CODE_HEADER));
  const body = message.data.length === 0 ? {} : (jsonOf(message) as RefusalBody);
  return refusalError({ ...body, code: body.code ?? name }, Number.isNaN(status) ? 500 : status);
}

const refusalError = (body: RefusalBody, status: number | undefined): AthenaError =>
  new AthenaError(body.code ?? 'INTERNAL', body.detail ?? 'no detail was given', {
    retryable: body.retryable ?? false,
    outcomeUnknown: body.code === 'OUTCOME_UNKNOWN',
    field: body.field,
    requestId: body.requestId,
    status,
  });

function jsonOf(message: Msg): unknown {
  try {
    return message.json();
  } catch (cause) {
    throw clientError('INVALID_ANSWER', 'the answer is not JSON', { cause });
  }
}
