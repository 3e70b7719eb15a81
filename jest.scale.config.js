// `npm run test:scale`: what must hold at a million tasks; minutes of work for one machine.
import config from './jest.config.js';

export default {
  ...config,
  testMatch: ['**/*.scale.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testTimeout: 10 * 60_000,
  maxWorkers: 1,
};
