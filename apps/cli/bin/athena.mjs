#!/usr/bin/env node
// What `npx athena` runs. The command line itself is TypeScript and has to be built once.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('athena is not built yet: run `npm run build` (or `npm start`) in the checkout');
  process.exitCode = 1;
}
