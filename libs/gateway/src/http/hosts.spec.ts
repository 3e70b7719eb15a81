import { describe, expect, it } from '@jest/globals';
import { HostCheck } from './hosts.js';

const passes = (check: HostCheck, host: string | undefined, origin?: string): boolean => {
  try {
    check.check({ ...(host && { host }), ...(origin && { origin }) });
    return true;
  } catch {
    return false;
  }
};

describe('a server that is bound to loopback', () => {
  const check = new HostCheck('127.0.0.1');

  it.each(['localhost:8080', '127.0.0.1', '[::1]:8080', 'LOCALHOST'])('serves %s', (host) => {
    expect(passes(check, host)).toBe(true);
  });

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost@evil.example', '', 'a b'])(
    'does not serve %j: a name made to point here',
    (host) => expect(passes(check, host)).toBe(false),
  );

  it('serves web pages of loopback only', () => {
    expect(passes(check, 'localhost', 'http://localhost:6274')).toBe(true);
    expect(passes(check, 'localhost', 'https://evil.example')).toBe(false);
    expect(passes(check, 'localhost', 'null')).toBe(false);
  });
});

describe('a server that is bound to every address', () => {
  it('can’t know its names, but serves no foreign web pages', () => {
    const check = new HostCheck('0.0.0.0');
    expect(passes(check, 'athena.example')).toBe(true);
    expect(passes(check, 'athena.example', 'https://athena.example')).toBe(false);
  });

  it('serves the names that it is told, and their pages', () => {
    const check = new HostCheck('0.0.0.0', ['athena.example']);
    expect(passes(check, 'athena.example:443', 'https://athena.example')).toBe(true);
    expect(passes(check, 'other.example')).toBe(false);
  });
});
