import { existsSync } from 'node:fs';
import { kernelInfo, runningLayout } from '@rmap-lab/kernel-oracle';
import { describe, expect, test } from 'vitest';
import { rmapLab } from './command.js';

const seen = existsSync('/sys/kernel/btf/vmlinux');

describe('rmap-lab kernel-info', () => {
  test('prints one JSON document with a row for each struct', async () => {
    const { status, out } = await rmapLab(['kernel-info', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toEqual({ schema: 'rmap-lab/kernel-info@1', ...kernelInfo() });
  });

  test('prints a table, and below it what can not be seen and why', async () => {
    const { out } = await rmapLab(['kernel-info']);
    for (const name of ['vm_area_struct', 'anon_vma_chain', 'folio', 'bytes in slab']) expect(out).toContain(name);
    for (const reason of kernelInfo().missing) expect(out).toContain(`missing: ${reason}`);
  });
});

describe('--layout running', () => {
  test.runIf(seen)('counts with the sizes of the running kernel', async () => {
    const layout = runningLayout(kernelInfo());
    const { status, out } = await rmapLab(['run', '--workload', 'fork-chain', '--layout', 'running', '--json']);
    expect(status).toBe(0);
    const { slab } = JSON.parse(out) as { slab: Record<string, { objectBytes: number }> };
    for (const [name, bytes] of Object.entries(layout)) expect(slab[name].objectBytes, name).toBe(bytes);
    const compared = await rmapLab([
      'compare',
      '--strategy',
      'anon-vma',
      '--workload',
      'fork-chain',
      '--layout',
      'running',
      '--json',
    ]);
    const { rows } = JSON.parse(compared.out) as { rows: { slab: Record<string, { objectBytes: number }> }[] };
    expect(rows[0].slab.anon_vma.objectBytes).toBe(layout.anon_vma);
  });

  test.runIf(!seen)('is refused where the kernel says nothing', async () => {
    const { status, err } = await rmapLab(['run', '--workload', 'fork-chain', '--layout', 'running']);
    expect(status).toBe(2);
    expect(err).toContain('struct sizes');
  });

  test('knows no other kernel', async () => {
    const { status, err } = await rmapLab(['run', '--workload', 'fork-chain', '--layout', 'linux-2.4']);
    expect(status).toBe(2);
    expect(err).toContain('linux-6.18, running');
  });
});
