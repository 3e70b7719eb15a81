const MICROSECONDS_PER_MS = 1_000;

/** What this process uses, between one measurement and the next. */
export class ProcessLoad {
  #cpu = process.cpuUsage();
  #at = performance.now();

  /** `cpu`: cores in use (1 = one core busy all the time). `memory`: resident bytes. */
  measure(): { cpu: number; memory: number } {
    const used = process.cpuUsage(this.#cpu);
    const now = performance.now();
    const elapsedMicroseconds = Math.max(1, (now - this.#at) * MICROSECONDS_PER_MS);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    const cpu = (used.user + used.system) / elapsedMicroseconds;
    return { cpu: Math.round(cpu * 1_000) / 1_000, memory: process.memoryUsage.rss() };
  }
}
