import { defineRefusal } from '@athena/operation';

export const AGENT_NOT_FOUND = defineRefusal({
  code: 'AGENT_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'No agent with this id is registered in the project.',
  remedy: 'Register it first (PUT /v1/agents/{agentId}, or the verb `register` over NATS).',
});
export const AGENT_ID_TAKEN = defineRefusal({
  code: 'AGENT_ID_TAKEN',
  kind: 'forbidden',
  retryable: false,
  summary: 'The agent id belongs to another credential.',
  remedy: 'Choose another agent id, or use the key that registered it first.',
});
export const TOO_MANY_CAPABILITIES = defineRefusal({
  code: 'TOO_MANY_CAPABILITIES',
  kind: 'limit',
  retryable: false,
  summary: 'The agent has as many capabilities as one may have.',
  remedy: 'Register it with fewer; the limit is in the detail.',
});
export const TOO_MANY_AGENTS = defineRefusal({
  code: 'TOO_MANY_AGENTS',
  kind: 'limit',
  retryable: false,
  summary: 'The project has as many agents as one may have.',
  remedy: 'Deregister agents that are gone for good; the limit is in the detail.',
});
