// `node --conditions=@athena/source --import <this file> program.ts` runs a program straight from
// the TypeScript sources, so that tests of processes need no build (nor disturb one another's).
import { register } from 'node:module';

register('./source-hooks.mjs', import.meta.url);
