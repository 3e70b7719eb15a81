// The one jest configuration: swc compiles, ES modules stay ES modules, and workspace libraries
// resolve to their TypeScript source through the export condition `@athena/source`.
import { swc } from './tools/swc.mjs';

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@athena/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['@swc/jest', swc],
  },
  testMatch: ['**/*.spec.ts'],
  // `npm run test:scale` runs those that take minutes and much data.
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.scale\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['/dist/', '/\\.athena/'],
};
