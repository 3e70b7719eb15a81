import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const connectionFile = z.object({
  gatewayUrl: z.string().min(1),
  natsUrl: z.string().min(1),
  project: z.string().min(1),
  apiKey: z.string().min(1),
});

/** What `<data dir>/connection.json` of a running stack says about how to reach it. */
export type Connection = z.output<typeof connectionFile>;

/** @throws Error that names the file and what is wrong with it */
export async function readConnectionFile(path: string): Promise<Connection> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`${path} can’t be read; is the stack running (npm start)?`, { cause });
  });
  const parsed = connectionFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the file';
  throw new Error(`${path} is no connection file: ${field}: ${issue?.message}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
