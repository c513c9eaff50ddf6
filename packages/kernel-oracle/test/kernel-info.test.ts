import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LINUX_6_18 } from '@rmap-lab/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CannotObserve, kernelInfo, runningLayout } from '../src/index.js';
import { btf, INT, STRUCT, type TestType } from './btf-data.js';

/** A folder with these files, standing for `/`. */
function system(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = mkdtempSync(join(tmpdir(), 'kernel-info-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const VMLINUX = 'sys/kernel/btf/vmlinux';
const structs: readonly TestType[] = [
  { kind: INT, name: 'int', size: 4, body: 4 },
  { kind: 2, name: '', size: 1, body: 0 }, // pointer
  { kind: 3, name: '', size: 0, body: 12 }, // array
  { kind: STRUCT, name: 'vm_area_struct', size: 200, members: 3, body: 36 },
  { kind: 5, name: 'mm_struct', size: 8, members: 1, body: 12 }, // a union of that name is no struct
  { kind: 13, name: '', size: 0, members: 2, body: 16 }, // function prototype
  { kind: STRUCT, name: 'mm_struct', size: 1472, members: 2, body: 24 },
  { kind: 19, name: 'flags', size: 8, members: 2, body: 24 }, // enum64
  { kind: STRUCT, name: 'anon_vma', size: 97, members: 1, body: 12 },
  { kind: 17, name: 'tag', size: 1, body: 4 }, // declaration tag
  { kind: STRUCT, name: 'anon_vma_chain', size: 64, members: 0, body: 0 },
];
const bytesOf = (root: string): Record<string, number | null> =>
  Object.fromEntries(kernelInfo(root).structs.map(({ name, bytes }) => [name, bytes]));

describe('kernel-info', () => {
  test.each([true, false])('reads struct sizes from type information (little endian: %s)', (little) => {
    const root = system({ [VMLINUX]: btf(structs, little) });
    expect(bytesOf(root)).toMatchObject({ vm_area_struct: 200, mm_struct: 1472, anon_vma: 97, anon_vma_chain: 64, folio: null });
  });

  test('names the columns that it can not fill, and fills the others', () => {
    const { missing, structs: rows } = kernelInfo(system({ [VMLINUX]: btf(structs) }));
    expect(missing).toEqual([expect.stringMatching(/^slab columns: /)]);
    expect(rows.every(({ slabBytes }) => slabBytes === null)).toBe(true);
    expect(kernelInfo(system({})).missing).toEqual([
      expect.stringMatching(/^struct sizes: .*CONFIG_DEBUG_INFO_BTF/),
      expect.any(String),
    ]);
  });

  test('takes slab sizes from sysfs, and from slabinfo what sysfs lacks', () => {
    const slab = (name: string, size: number, perSlab: number, order: number): Record<string, string> => ({
      [`sys/kernel/slab/${name}/slab_size`]: `${size}\n`,
      [`sys/kernel/slab/${name}/objs_per_slab`]: `${perSlab}\n`,
      [`sys/kernel/slab/${name}/order`]: `${order}\n`,
    });
    const root = system({
      ...slab('anon_vma', 104, 39, 0),
      ...slab('mm_struct', 1600, 20, 3),
      'proc/slabinfo':
        'slabinfo - version: 2.1\nanon_vma_chain 5 128 64 64 1 : tunables 0 0 0\nvm_area_struct 1 21 192 21 1 : x\n',
    });
    const info = kernelInfo(root);
    const of = (wanted: string) => info.structs.find(({ name }) => name === wanted);
    expect(of('mm_struct')).toMatchObject({ slabBytes: 1600, objectsPerSlab: 20, pagesPerSlab: 8 });
    expect(of('anon_vma_chain')).toMatchObject({ slabBytes: 64, objectsPerSlab: 64, pagesPerSlab: 1 });
    expect(runningLayout(info)).toEqual(LINUX_6_18);
    expect(info.missing).toContainEqual(expect.stringContaining('maple_node'));
  });

  test('counts with struct sizes where slab caches are hidden', () => {
    const layout = runningLayout(kernelInfo(system({ [VMLINUX]: btf(structs) })));
    expect(layout).toEqual({ vm_area_struct: 200, mm_struct: 1472, anon_vma: 104, anon_vma_chain: 64 });
  });

  test('has no layout of a system that says nothing', () => {
    expect(() => runningLayout(kernelInfo(system({})))).toThrow(CannotObserve);
    expect(() => runningLayout(kernelInfo(system({})))).toThrow(/vm_area_struct.*struct sizes/);
  });

  test('refuses damaged type information', () => {
    const whole = btf(structs);
    expect(() => kernelInfo(system({ [VMLINUX]: new Uint8Array(64) }))).toThrow(/does not begin as BTF/);
    expect(() => kernelInfo(system({ [VMLINUX]: whole.subarray(0, 60) }))).toThrow(/ends too early/);
    expect(() => kernelInfo(system({ [VMLINUX]: btf([{ kind: 30, name: 'x', size: 0, body: 0 }]) }))).toThrow(/kind 30/);
  });
});
