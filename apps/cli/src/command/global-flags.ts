import type { Flag } from './command.js';

/** Every command takes these. */
export const everywhere: readonly Flag[] = [
  { name: 'json', kind: 'boolean', summary: 'print exactly the answer, as JSON' },
  { name: 'help', kind: 'boolean', summary: 'show this text' },
];

/** Commands that talk to a platform take these. */
export const whereTo: readonly Flag[] = [
  { name: 'url', kind: 'text', value: 'url', summary: 'the gateway (default: $ATHENA_URL)' },
  {
    name: 'api-key',
    kind: 'text',
    value: 'key',
    summary: 'the API key, or @file (default: $ATHENA_API_KEY)',
  },
  { name: 'context', kind: 'text', value: 'name', summary: 'a stored context, see athena context' },
  {
    name: 'data-dir',
    kind: 'text',
    value: 'dir',
    summary: 'a local stack’s data folder, with its connection.json (default: .athena)',
  },
];

/** Commands that connect to NATS as an agent take these too. */
export const whereNats: readonly Flag[] = [
  {
    name: 'nats-url',
    kind: 'text',
    value: 'url',
    summary: 'the NATS server, where the context or connection.json doesn’t say (or $NATS_URL)',
  },
  {
    name: 'project',
    kind: 'text',
    value: 'id',
    summary: 'the project, where the context or connection.json doesn’t say (default: default)',
  },
];

export const CALL_MS_DEFAULT = 10_000;

export const timeoutFlag: Flag = {
  name: 'timeout',
  kind: 'duration',
  value: 'time',
  summary: 'give up after this long, waiting times not counted (default: 10s)',
};
