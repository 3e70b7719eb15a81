import { clientId, findAgents } from '@athena/contracts';
import { INVALID_INPUT, Refused } from '@athena/operation';
import type { ServiceHandler } from '@athena/service-kit';
import { findAgentRows } from './agent-rows.js';
import type { RegistryReader } from './registry-reader.js';

export const handleFindAgents = (reader: RegistryReader): ServiceHandler<typeof findAgents> => ({
  operation: findAgents,
  async handle({ requirements, status, limit, cursor, minSeq }, caller) {
    const seq = await reader.reach(minSeq);
    // Who is late matters for a status that depends on it; else a list is worth having without.
    const late = await reader.late(caller, status === 'degraded' ? undefined : []);
    const found = await findAgentRows(reader.rows, {
      project: caller.project,
      requirements,
      status,
      late,
      after: cursor === undefined ? '' : decodeCursor(cursor),
      limit: limit + 1,
    });
    const agents = found.slice(0, limit);
    const last = found.length > limit ? agents.at(-1) : undefined;
    const nextCursor = last ? encodeCursor(last.agentId) : null;
    return { output: { agents, nextCursor }, seq };
  },
});

const encodeCursor = (agentId: string): string => Buffer.from(agentId).toString('base64url');

function decodeCursor(cursor: string): string {
  const agentId = clientId.safeParse(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (agentId.success) return agentId.data;
  throw Refused.because(INVALID_INPUT, 'cursor: use a nextCursor as it was given', 'cursor');
}
