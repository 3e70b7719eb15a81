import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { keyRecord } from './record.js';

export const listKeys = defineQuery({
  name: 'key.list',
  summary: 'The keys of the project, without their secrets.',
  scope: 'admin',
  to: { service: 'gateway' },
  http: { method: 'GET', path: '/v1/keys' },
  input: z.strictObject({}),
  output: z.object({ keys: z.array(keyRecord) }),
  refusals: [],
});
