let expected = false;

/** From now on refusals are what the caller waits for, and carry neither text nor stack: making them costs more than most operations. */
export function expectRefusals(now: boolean): void {
  expected = now;
}

/** The model says no, as the kernel would. Its reason may be a function, which makes the words only where somebody may read them. @internal */
export abstract class Refusal extends Error {
  /** Why, in words. */
  readonly reason: string;
  constructor(what: (reason: string) => string, reason: string | (() => string)) {
    const limit = Error.stackTraceLimit;
    const text = typeof reason === 'string' ? reason : expected ? '' : reason();
    if (expected) Error.stackTraceLimit = 0;
    super(expected ? '' : what(text));
    if (expected) Error.stackTraceLimit = limit;
    this.reason = text;
  }
}
