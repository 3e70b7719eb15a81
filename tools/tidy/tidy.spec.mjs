import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundaryBreaks } from './boundaries.mjs';
import { untidiness } from './rules.mjs';
import { findings } from './tidy.mjs';

test('a service library may not import another', () => {
  const text = "import { x } from '@athena/router';";
  assert.equal(boundaryBreaks('libs/task-queue/src/a.ts', text).length, 1);
  assert.equal(boundaryBreaks('libs/task-queue/src/a.spec.ts', text).length, 0);
});

test('a domain may not import the world, nor ask it the time', () => {
  const path = 'libs/router/src/domain/a.ts';
  assert.equal(boundaryBreaks(path, "import { Module } from '@nestjs/common';").length, 1);
  assert.equal(untidiness(path, 'const now = Date.now();').length, 1);
});

test('what is unfinished, too long or named after nothing is found', () => {
  assert.equal(untidiness('libs/a/src/b.ts', '// TODO later').length, 1);
  assert.equal(untidiness('libs/a/src/b.ts', 'x\n'.repeat(401)).length, 1);
  assert.equal(untidiness('libs/a/src/b.ts', 'export class TaskManager {}').length, 1);
});

test('the tree keeps its boundaries and its house rules', () => {
  assert.deepEqual(findings(), []);
});
