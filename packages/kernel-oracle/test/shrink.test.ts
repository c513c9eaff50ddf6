import { expect, test } from 'vitest';
import { shrink } from '../src/shrink.js';

test('what is left are the parts that it takes', async () => {
  const program = Array.from({ length: 100 }, (_, i) => i);
  const failsAt = async (rest: readonly number[]): Promise<number | null> => {
    const at = rest.indexOf(71);
    return rest.includes(13) && at > rest.indexOf(13) ? at + 1 : null;
  };
  expect(await shrink(program, failsAt)).toEqual([13, 71]);
});

test('a program that needs all of its parts stays', async () => {
  expect(await shrink([1, 2, 3], async (rest) => (rest.length === 3 ? 3 : null))).toEqual([1, 2, 3]);
});
