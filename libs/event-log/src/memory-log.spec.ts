import { describeEventLog } from '@athena/testing';
import { MemoryLog } from './memory-log.js';

describeEventLog('MemoryLog', async () => ({ log: new MemoryLog(), end: async () => undefined }));
