import { INTERNAL, Refused, refuse, type Refusal } from '@athena/operation';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { statusOfCode } from './refusal-status.js';

/** What is answered for an error: a refusal as it stands, anything else without its inside. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  return refuse(INTERNAL, 'something went wrong inside; it is in the service’s log');
}

/** An error in the convention of NATS services: two headers, and a body with the detail. */
export function errorReply(refusal: Refusal): { body: string; headers: MsgHdrs } {
  const head = headers();
  head.set('Nats-Service-Error-Code', String(statusOfCode(refusal.code)));
  head.set('Nats-Service-Error', refusal.code);
  return { body: JSON.stringify(refusal), headers: head };
}
