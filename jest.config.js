import preset from './jest.preset.js';

export default {
  ...preset,
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/tools', '<rootDir>/examples'],
  maxWorkers: 2,
  testTimeout: 30_000,
};
