import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from './config.js';

const least = {
  NATS_URL: 'nats://127.0.0.1:4222',
  ATHENA_NATS_USER: 'core',
  ATHENA_NATS_PASSWORD: 'p',
  DATABASE_URL: 'postgres://athena@127.0.0.1:5432/athena',
};
const problem = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
};

describe('the configuration', () => {
  it('needs little, and has defaults for the rest', () => {
    expect(readConfig(least)).toEqual({
      nats: {
        servers: ['nats://127.0.0.1:4222'],
        core: { user: 'core', password: 'p' },
        sys: null,
        callout: null,
      },
      databaseUrl: least.DATABASE_URL,
      host: '127.0.0.1',
      httpPort: 8080,
      allowedHosts: [],
      managementPort: 9400,
      bootstrapKey: null,
      logLevel: 'info',
      taskPartitions: 1,
      projectWeights: new Map(),
      stream: { maxBytes: 4 * 1024 ** 3, replicas: 1 },
    });
  });

  it('takes everything that may be said', () => {
    const config = readConfig({
      ...least,
      NATS_URL: 'nats://a:1,nats://b:2',
      ATHENA_NATS_SYS_USER: 'sys',
      ATHENA_NATS_SYS_PASSWORD: 's',
      ATHENA_NATS_CALLOUT_USER: 'callout',
      ATHENA_NATS_CALLOUT_PASSWORD: 'c',
      ATHENA_NATS_CALLOUT_SEED: 'SAX',
      ATHENA_HTTP_PORT: '0',
      ATHENA_ALLOWED_HOSTS: 'a.example, b.example,',
      ATHENA_LOG_LEVEL: 'debug',
      ATHENA_LOG_REPLICAS: '3',
      ATHENA_PROJECT_WEIGHTS: 'acme=3, lab=0.5',
    });

    expect(config.nats).toEqual({
      servers: ['nats://a:1', 'nats://b:2'],
      core: { user: 'core', password: 'p' },
      sys: { user: 'sys', password: 's' },
      callout: { user: 'callout', password: 'c', seed: 'SAX' },
    });
    expect(config).toMatchObject({ httpPort: 0, logLevel: 'debug', stream: { replicas: 3 } });
    expect(config.allowedHosts).toEqual(['a.example', 'b.example']);
    expect([...config.projectWeights]).toEqual([
      ['acme', 3],
      ['lab', 0.5],
    ]);
  });

  it('names every variable that is missing', () => {
    const text = problem({ NATS_URL: '' });

    for (const name of Object.keys(least)) expect(text).toContain(`${name} is not set`);
  });

  it.each([
    ['NATS_URL', 'http://x', 'must look like nats://'],
    ['DATABASE_URL', 'mysql://x', 'must look like postgres://'],
    ['ATHENA_HTTP_PORT', '70000', '65535'],
    ['ATHENA_HTTP_PORT', 'x', 'number'],
    ['ATHENA_LOG_LEVEL', 'loud', '"info"'],
    ['ATHENA_LOG_MAX_BYTES', '5', '16777216'],
    ['ATHENA_NATS_CALLOUT_SEED', 'UA', 'account seed'],
    ['ATHENA_PROJECT_WEIGHTS', 'acme', 'must look like acme=3'],
    ['ATHENA_PROJECT_WEIGHTS', 'acme=0', 'from 0.01 to 100'],
    ['ATHENA_PROJECT_WEIGHTS', '=1', 'must look like acme=3'],
  ])('says what is wrong with %s=%s', (name, value, said) => {
    const text = problem({ ...least, [name]: value });

    expect(text).toContain(name);
    expect(text).toContain(said);
  });

  it('never repeats a value: it may be a secret', () => {
    expect(problem({ ...least, DATABASE_URL: 'hunter2' })).not.toContain('hunter2');
  });
});
