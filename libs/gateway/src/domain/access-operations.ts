import {
  KEY_NOT_FOUND,
  PROJECT_NOT_FOUND,
  RESERVED_NAME,
  TOO_MANY_KEYS,
  TOO_MANY_PROJECTS,
  clientId,
  createKey,
  createProject,
  keyRecord,
  listKeys,
  revokeKey,
} from '@athena/contracts';
import { FORBIDDEN, INVALID_INPUT, defineCommand, defineQuery } from '@athena/operation';
import { z } from 'zod';

/*
 * What a gateway asks of the owner of partition access.0. Internal: no surface shows these; the
 * public operations (key.create, …) are answered by any gateway, which makes the secret and sends
 * only its hash on.
 */
const to = { partition: 'access' } as const;

export const issueKey = defineCommand({
  name: 'access.issueKey',
  summary: 'Issue an API key whose secret has this hash (internal).',
  to,
  input: createKey.input.extend({ keyId: clientId, secretHash: z.string() }),
  output: keyRecord,
  refusals: [FORBIDDEN, INVALID_INPUT, PROJECT_NOT_FOUND, TOO_MANY_KEYS],
  idempotent: true,
});

export const endKey = defineCommand({
  name: 'access.revokeKey',
  summary: 'Revoke an API key (internal).',
  to,
  input: revokeKey.input,
  output: revokeKey.output,
  refusals: [FORBIDDEN, KEY_NOT_FOUND],
  idempotent: true,
});

export const openProject = defineCommand({
  name: 'access.createProject',
  summary: 'Create a project (internal).',
  to,
  input: createProject.input,
  output: createProject.output,
  refusals: [FORBIDDEN, RESERVED_NAME, TOO_MANY_PROJECTS],
  idempotent: true,
});

export const projectKeys = defineQuery({
  name: 'access.listKeys',
  summary: 'The keys of the caller’s project (internal).',
  to,
  input: listKeys.input,
  output: listKeys.output,
  refusals: [FORBIDDEN],
});

export const bootstrap = defineCommand({
  name: 'access.bootstrap',
  summary: 'Make project `default` and the key from the configuration, once (internal).',
  to,
  input: z.object({ keyId: clientId, secretHash: z.string() }),
  output: z.object({
    /** Whether the key of the log has the secret of the configuration and is not revoked. */
    usable: z.boolean(),
  }),
  refusals: [FORBIDDEN],
  idempotent: true,
});
