import { describe, expect, it } from '@jest/globals';
import { agentHealth } from '@athena/contracts';
import { httpRequest } from './request.js';

describe('a request’s path', () => {
  it('holds an id as one segment', () => {
    expect(httpRequest(agentHealth, { agentId: 'a/../b' }).path).toBe(
      '/v1/agents/a%2F..%2Fb/health',
    );
  });

  it.each(['', '.', '..'])('is not made another one by the id %j', (agentId) => {
    expect(() => httpRequest(agentHealth, { agentId })).toThrow('INVALID_INPUT: agentId');
  });
});
