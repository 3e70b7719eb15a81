import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.js';

describe('turns', () => {
  it('let as many in as there are places, the others in order', async () => {
    const turns = new Turns(1);
    const order: string[] = [];
    const leave = await turns.take();
    const second = turns.take().then((go) => (order.push('second'), go));
    const third = turns.take().then((go) => (order.push('third'), go));
    expect(turns.crowded).toBe(true);

    leave();
    leave();
    (await second)();
    (await third)();

    expect(order).toEqual(['second', 'third']);
    expect(turns.crowded).toBe(false);
  });

  it('forget whoever gives up', async () => {
    const turns = new Turns(1);
    const leave = await turns.take();
    const controller = new AbortController();
    const gone = turns.take(controller.signal);
    const patient = turns.take();
    controller.abort(new Error('enough'));
    leave();
    await expect(gone).rejects.toThrow('enough');
    await expect(patient).resolves.toBeInstanceOf(Function);
  });
});
