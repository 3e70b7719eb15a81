import { defineTask } from '@athena/sdk';
import { z } from 'zod';

// One definition, shared by the code that submits and by the agent that handles.
export const translate = defineTask({
  name: 'translate',
  requirements: ['translation'],
  input: z.object({ text: z.string(), to: z.enum(['de', 'fr']) }),
  output: z.object({ text: z.string() }),
});
