import { INVALID_INPUT, refuse, type Refusal } from '@athena/operation';
import type { Peers } from './peers.js';
import { encodeReplyPart, type ReadRequest } from './wire-codec.js';

const MALFORMED = refuse(
  INVALID_INPUT,
  'the message is not {"items":[{id, op, project, actor, input}, …]}',
);

/** Why a message as a whole is not served; null: it is. */
export const refusalOfRequest = (
  { protocol, items }: ReadRequest,
  peers: Peers,
  where: string,
): Refusal | null => peers.refuseCaller(protocol, where) ?? (items ? null : MALFORMED);

/** One refusal stands for all items. */
export const encodeRefusal = ({ protocol }: Peers, refusal: Refusal | null): Uint8Array =>
  encodeReplyPart({ protocol }, null, [JSON.stringify({ refusal })]);
