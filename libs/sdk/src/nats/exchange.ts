import { type ItemAnswer, itemAnswers, singleAnswer } from './answers.js';
import type { RequestChannel, RequestOptions } from './request-channel.js';

/** Sends items as one message: one as itself, several as `{ items: […] }`. In order. */
export async function exchange(
  channel: RequestChannel,
  subject: string,
  items: readonly string[],
  options: RequestOptions,
): Promise<readonly ItemAnswer[]> {
  if (items.length === 1) {
    return [singleAnswer(await channel.request(subject, items[0] as string, options))];
  }
  const body = `{"items":[${items.join(',')}]}`;
  return itemAnswers(await channel.request(subject, body, options), items.length);
}
