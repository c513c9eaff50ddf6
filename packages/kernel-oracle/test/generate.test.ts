import { expect, test } from 'vitest';
import { isCompared } from '../src/commands.js';
import { PLAIN, Random, randomProgram } from '../src/generate.js';

test('the same seed makes the same program, another seed another', () => {
  const program = (seed: number) => randomProgram(new Random(seed), 100, PLAIN);
  expect(program(5)).toEqual(program(5));
  expect(program(5)).not.toEqual(program(6));
});

test('programs hold what a real kernel can be asked for, and over many of them every kind', () => {
  const random = new Random(1);
  const operations = Array.from({ length: 40 }, () => randomProgram(random, 100, PLAIN)).flat();
  expect(operations.every(isCompared)).toBe(true);
  expect(new Set(operations.map(({ op }) => op))).toEqual(new Set(Object.keys(PLAIN.kinds)));
});
