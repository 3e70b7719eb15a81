import { BrokenSequence, LogUnavailable } from '@athena/event-log';
import { describe, expect, it } from '@jest/globals';
import { CheckpointMismatch } from './chain.js';
import { Fenced } from './checkpoints.js';
import { isPassing } from './failures.js';

const ofServer = (code: string): Error =>
  Object.assign(new Error('said by Postgres'), { code, severity: 'ERROR' });
const ofSocket = (code: string): Error => Object.assign(new Error('connect'), { code });

describe('a failure', () => {
  it.each([
    ['a server that shuts down', ofServer('57P01')],
    ['a server that starts', ofServer('57P03')],
    ['too many connections', ofServer('53300')],
    ['a full disk', ofServer('53100')],
    ['a deadlock', ofServer('40P01')],
    ['a server that became read-only', ofServer('25006')],
    ['a refused connection', ofSocket('ECONNREFUSED')],
    ['several of them', Object.assign(new Error(), { errors: [ofSocket('ECONNREFUSED')] })],
    ['a connection that ended', new Error('Connection terminated unexpectedly')],
    ['no answer', new Error('Query read timeout')],
    ['another writer', new Fenced('fenced')],
    ['a log that is away', new LogUnavailable('gone')],
  ])('passes: %s', (_, error) => expect(isPassing(error)).toBe(true));

  it.each([
    ['a value that does not fit', ofServer('22P02')],
    ['a row that is there twice', ofServer('23505')],
    ['a table that is missing', ofServer('42P01')],
    ['corrupt data', ofServer('XX001')],
    ['a broken log', new BrokenSequence('gap')],
    ['a checkpoint of another log', new CheckpointMismatch('mismatch')],
    ['a fold that throws', new TypeError('cannot connect the dots')],
    ['nothing known', new Error('what?')],
    ['no error at all', undefined],
  ])('stays: %s', (_, error) => expect(isPassing(error)).toBe(false));
});
