import { expect, test } from 'vitest';
import { isCompared } from '../src/commands.js';
import { FLAVOURS } from '../src/flavours.js';
import { randomProgram } from '../src/generate.js';
import { Random } from '../src/random.js';

test('the same seed makes the same program, another seed another', () => {
  const program = (seed: number) => randomProgram(new Random(seed), FLAVOURS.plain);
  expect(program(5)).toEqual(program(5));
  expect(program(5)).not.toEqual(program(6));
});

test.each(Object.values(FLAVOURS))(
  'programs of $name hold what a real kernel can be asked for, and many of them every kind',
  (flavour) => {
    const random = new Random(1);
    const operations = Array.from({ length: 60 }, () => randomProgram(random, flavour)).flat();
    expect(operations.every(isCompared)).toBe(true);
    expect(new Set(operations.map(({ op }) => op))).toEqual(new Set(Object.keys(flavour.kinds)));
  },
);
