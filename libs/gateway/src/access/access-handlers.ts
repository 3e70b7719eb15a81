import { createKey, createProject, listKeys, revokeKey } from '@athena/contracts';
import type { Ids } from '@athena/event-log';
import type { Called, Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import type { Input, Operation, Output } from '@athena/operation';
import { endKey, issueKey, openProject, projectKeys } from '../domain/access-operations.js';
import { KEY_RANDOM_BYTES, formatApiKey, hashSecret, newApiKey } from '../domain/api-key.js';
import type { KeyTable } from './key-table.js';

/** A change of keys is answered when this process acts on it, or after this long. */
const TABLE_WAIT_MS = 2_000;

export interface AccessSurroundings {
  readonly caller: OperationCaller;
  readonly keys: Pick<KeyTable, 'reached'>;
  readonly ids: Ids;
}

/** The public operations on projects and keys, as every gateway answers them. */
export function accessHandlers({ caller, keys, ids }: AccessSurroundings): ServiceHandler[] {
  const settled = async <T>(answer: Promise<Called<T>>): Promise<Called<T>> => {
    const { seq } = await answer;
    await keys.reached(seq, TABLE_WAIT_MS);
    return answer;
  };
  return [
    handler(createKey, async (input, asked) => {
      const key = newApiKey(ids.random(KEY_RANDOM_BYTES));
      const { keyId, secret } = key;
      const issue = { ...input, keyId, secretHash: hashSecret(secret) };
      const { output, seq } = await settled(caller.call(issueKey, issue, asked));
      return { output: { ...output, apiKey: formatApiKey(key) }, seq };
    }),
    handler(revokeKey, (input, asked) => settled(caller.call(endKey, input, asked))),
    handler(listKeys, (input, asked) => caller.call(projectKeys, input, asked)),
    handler(createProject, (input, asked) => caller.call(openProject, input, asked)),
  ];
}

/** Binds an operation to what answers it, with both types checked. */
export const handler = <T extends Operation>(
  operation: T,
  handle: (input: Input<T>, caller: Caller) => Promise<Called<Output<T>>>,
): ServiceHandler => ({ operation, handle });
