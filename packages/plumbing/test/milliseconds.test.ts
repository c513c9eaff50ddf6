import { expect, test } from 'vitest';
import { milliseconds } from '../src/index.js';

test.each([
  [1.5, 1500],
  [0.0001, 1],
  [2 ** 31 / 1000, 2 ** 31 - 1],
  [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
])('%d seconds are %d ms of a timer', async (seconds, expected) => {
  const time = milliseconds(seconds);
  expect(time).toBe(expected);
  // Neither refuses it, nor warns and rings at once.
  expect(AbortSignal.timeout(time).aborted).toBe(false);
});
