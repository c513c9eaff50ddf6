import { setImmediate } from 'node:timers/promises';

/** Milliseconds that a replay keeps the event loop to itself. */
const TURN = 20;
/** Questions between two looks at the clock. */
const EVERY = 64;

/** Says when it is time to let others run. */
export class Pace {
  private since = performance.now();
  private asked = 0;

  due(): boolean {
    return ++this.asked % EVERY === 0 && performance.now() - this.since > TURN;
  }

  /** Lets the event loop go round once. */
  async pause(): Promise<void> {
    await setImmediate();
    this.since = performance.now();
  }
}
