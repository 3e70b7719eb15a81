import { fork } from 'node:child_process';
import { join } from 'node:path';

/** The load's process: each method of `load.mjs` by name. */
export class Load {
  #child;
  #waiting = new Map();
  #next = 0;

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'load.mjs'));
    this.#child.on('message', ({ id, output, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(output);
      else reject(new Error(error));
    });
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the load ended: ${code}`));
    });
  }

  ask(op, input) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, op, input });
    });
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}
