import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CannotObserve, campaign, compareProgram, Oracle, recordAnswers, sideBySide } from '../src/index.js';
import { wrongAnonVma } from './wrong-anon-vma.js';

/** It takes gcc alone, which every Linux that builds this has. */
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('as far as anybody can see', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await Oracle.start({ see: 'layout' });
  });
  afterAll(() => oracle.stop());

  const seed = Math.floor(Math.random() * 2 ** 31);
  test(`the kernel and the model agree in fresh programs, seed ${seed}; what is not seen is named`, async () => {
    const { differences, operations, missing, byKind } = await campaign(oracle, { strategy: anonVma, operations: 4000, seed });
    expect(differences.map(sideBySide)).toEqual([]);
    expect(operations).toBe(4000);
    expect(byKind.fork).toBeGreaterThan(20);
    expect(missing).toContainEqual(expect.stringMatching(/vm_pgoff; anon_vmas .*live objects \(nothing else was asked for\)/));
    expect(missing).toContainEqual(expect.stringMatching(/programs of swap, ksm, folios, huge/));
  });

  test('a model that is wrong is found out', async () => {
    const { differences } = await campaign(oracle, { strategy: wrongAnonVma, operations: 4000, seed: 5 });
    expect(differences.length).toBeGreaterThan(0);
    expect(sideBySide(differences[0])).toMatch(/kernel: .*vma start/);
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
