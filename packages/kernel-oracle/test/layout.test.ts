import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Operation } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Driver } from '../src/driver.js';
import {
  CannotObserve,
  campaign,
  compareProgram,
  type KnownDifference,
  Oracle,
  recordAnswers,
  sideBySide,
} from '../src/index.js';
import { wrongAnonVma } from './wrong-anon-vma.js';

/** It takes gcc alone, which every Linux that builds this has. */
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('as far as anybody can see', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await Oracle.start({ see: 'layout' });
  });
  afterAll(() => oracle.stop());

  const seed = 4711;
  test(`the kernel and the model agree in random programs, seed ${seed}; what is not seen is named`, async () => {
    const { differences, operations, missing, byKind } = await campaign(oracle, { strategy: anonVma, operations: 4000, seed });
    expect(differences.map(sideBySide)).toEqual([]);
    expect(operations).toBe(4000);
    expect(byKind.fork).toBeGreaterThan(20);
    expect(missing).toContainEqual(expect.stringMatching(/vm_pgoff; anon_vmas .*live objects \(nothing else was asked for\)/));
    expect(missing).toContainEqual(expect.stringMatching(/programs of swap, ksm, folios, folioSwap, huge/));
  });

  test('a model that is wrong is found out', async () => {
    const { differences } = await campaign(oracle, { strategy: wrongAnonVma, operations: 4000, seed: 5 });
    expect(differences.length).toBeGreaterThan(0);
    expect(sideBySide(differences[0])).toMatch(/kernel: .*vma start/);
  });

  test('Ctrl-C ends a campaign with the differences that it found', async () => {
    const interrupt = new AbortController();
    const { signal } = interrupt;
    const atFirst: KnownDifference = {
      name: 'none',
      reason: 'none: it interrupts at the first difference',
      example: { settings: { orders: [], swap: false }, program: [] },
      matches: () => {
        interrupt.abort();
        return false;
      },
    };
    const options = { strategy: wrongAnonVma, operations: 10_000_000, seed: 5, signal, known: [atFirst] };
    const { partial, differences, operations } = await campaign(oracle, options);
    expect({ partial, differences: differences.length }).toEqual({ partial: true, differences: 1 });
    expect(operations).toBeLessThan(10_000);
  });

  test('Ctrl-C ends a long program, of which the first operations are compared, and leaves no process behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layout-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rounds = Array.from({ length: 10_000 }, (_, i): Operation[] => [
      { op: 'write', process: 1, at: 10 + (i % 4) },
      { op: 'fork', process: 1 },
      { op: 'exit', process: 2 },
    ]);
    const map: Operation = { op: 'mmap', process: 0, at: 10, pages: 4, prot: 3, memory: 'private', flags: 0, offset: 0 };
    writeFileSync(join(folder, 'long.json'), JSON.stringify([map, { op: 'fork', process: 0 }, ...rounds.flat()]));
    const options = { strategy: anonVma, from: folder };
    const interrupt = new AbortController();
    const ask = vi.spyOn(oracle.driver, 'ask').mockImplementation(async function (this: Driver, ...args) {
      if (ask.mock.calls.length === 3) interrupt.abort();
      return Driver.prototype.ask.apply(oracle.driver, args);
    });
    const report = await compareProgram(oracle, 'long.json', { ...options, signal: interrupt.signal });
    ask.mockRestore();
    expect(report).toMatchObject({ partial: true, differences: [] });
    expect(report.operations).toBeGreaterThan(2000);
    expect(report.operations).toBeLessThan(4000);
    expect(Object.values(report.byKind).reduce((sum, n) => sum + n)).toBe(report.operations);
    writeFileSync(join(folder, 'short.json'), JSON.stringify([map, { op: 'write', process: 0, at: 10 }]));
    expect(await compareProgram(oracle, 'short.json', options)).toMatchObject({ partial: false, differences: [] });
  });

  test('a program that takes settings of root is refused, and answers that are not whole are not recorded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layout-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'ksm.json'), JSON.stringify([{ op: 'ksmScan', process: 0 }]));
    const options = { strategy: anonVma, from: folder };
    await expect(compareProgram(oracle, 'ksm.json', options)).rejects.toThrow(/operation 1, 'ksmScan', takes settings/);
    const recording = recordAnswers(oracle, join(folder, 'answers'), { strategy: anonVma, programs: 1, seed: 1 });
    await expect(recording).rejects.toThrow(CannotObserve);
  });
});
