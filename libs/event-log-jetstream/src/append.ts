import { headers, type Msg } from '@nats-io/transport-node';
import { AppendRefused, AppendUnknown, WrongLastSequence, type Seq } from '@athena/event-log';
import { ERROR_CODE, type ApiError } from './jetstream-api.js';
import type { ReplyMultiplexer } from './reply-multiplexer.js';

const EXPECTED_LAST = 'Nats-Expected-Last-Subject-Sequence';
const ERROR_START = '{"error"';
const SEQ_KEY = '"seq":';

/**
 * Publishes one message and waits for JetStream's word, which comes once it is stored.
 * @throws WrongLastSequence, AppendUnknown, AppendRefused
 */
export function append(
  replies: ReplyMultiplexer,
  subject: string,
  payload: Uint8Array,
  expectedLastSeq: Seq,
  extra?: readonly [name: string, value: string],
): Promise<Seq> {
  return new Promise((resolve, reject) => {
    const expectation = headers();
    expectation.set(EXPECTED_LAST, String(expectedLastSeq));
    if (extra) expectation.set(...extra);
    const onReply = (reply: Msg | null, reason?: string): void => {
      const outcome = reply
        ? outcomeOf(subject, reply.string())
        : new AppendUnknown(`${subject}: no acknowledgement (${reason})`);
      if (typeof outcome === 'number') resolve(outcome);
      else reject(outcome);
    };
    try {
      replies.send(subject, payload, onReply, expectation);
    } catch (error) {
      // The client itself refused (larger than the server's max_payload): nothing was sent.
      reject(new AppendRefused(`${subject}: ${(error as Error).message}`));
    }
  });
}

/** `{"stream":"…","seq":7}` or `{"error":{…}}`; read by hand, as this is the hot path. */
function outcomeOf(subject: string, text: string): Seq | Error {
  if (text.startsWith(ERROR_START)) {
    return failureOf(subject, (JSON.parse(text) as { error: ApiError }).error);
  }
  const at = text.indexOf(SEQ_KEY);
  if (at < 0) return new AppendUnknown(`${subject}: not an acknowledgement: ${text.slice(0, 80)}`);
  return Number.parseInt(text.slice(at + SEQ_KEY.length), 10);
}

function failureOf(subject: string, { code, err_code, description }: ApiError): Error {
  const detail = `${subject}: ${description ?? 'refused'} (${err_code ?? code})`;
  switch (err_code) {
    case ERROR_CODE.wrongLastSequence:
    case ERROR_CODE.wrongLastSequenceConstant:
      return new WrongLastSequence(detail);
    // No leader at the moment: worth another try with the same bytes.
    case ERROR_CODE.clusterNotAvailable:
      return new AppendUnknown(detail);
    default:
      return new AppendRefused(detail);
  }
}
