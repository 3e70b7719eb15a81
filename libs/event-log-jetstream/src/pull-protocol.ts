import type { Msg } from '@nats-io/transport-node';
import type { Seq } from '@athena/event-log';

/*
 * How a pull consumer's deliveries and statuses look (nats-server ADR-13, ADR-15): deliveries keep
 * the message's subject and carry their positions in the reply subject; statuses have no subject
 * but the inbox.
 */

/** `$JS.ACK.<stream>.<consumer>.<times>.<stream seq>.<consumer seq>.<time>.<pending>`; with a
 * domain and an account hash behind `$JS.ACK`, and a random token at the end, of newer servers. */
export function deliveryOf(reply: string): { streamSeq: Seq; consumerSeq: number } {
  const tokens = reply.split('.');
  const offset = tokens.length > 9 ? 7 : 5;
  return { streamSeq: Number(tokens[offset]), consumerSeq: Number(tokens[offset + 1]) };
}

export interface PullStatus {
  /** `ended`: this pull, whatever the reason; `lost`: the consumer itself is gone or moved. */
  readonly kind: 'heartbeat' | 'ended' | 'lost' | 'invalid';
  /** What the pull still allowed when it ended. */
  readonly unusedBytes: number;
}

const HEARTBEAT = 100;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;
const TIMEOUT = 408;
const CONFLICT = 409;
const ENDS_ONE_PULL = /^(message size exceeds maxbytes|batch completed|exceeded max)/i;

export function statusOf(msg: Msg): PullStatus {
  const code = msg.headers?.code ?? 0;
  const unusedBytes = Number(msg.headers?.get('Nats-Pending-Bytes') || 0);
  switch (code) {
    case HEARTBEAT:
      return { kind: 'heartbeat', unusedBytes };
    case BAD_REQUEST:
      return { kind: 'invalid', unusedBytes };
    case NOT_FOUND:
    case TIMEOUT:
      return { kind: 'ended', unusedBytes };
    case CONFLICT: {
      const ended = ENDS_ONE_PULL.test(msg.headers?.description ?? '');
      return { kind: ended ? 'ended' : 'lost', unusedBytes };
    }
    default:
      return { kind: 'lost', unusedBytes };
  }
}
