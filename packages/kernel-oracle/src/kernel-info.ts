import { readFileSync } from 'node:fs';
import { machine, release } from 'node:os';
import { join } from 'node:path';
import type { Layout } from '@rmap-lab/core';
import { structSizes } from './btf.js';
import { CannotObserve } from './compile.js';

const CACHES = ['vm_area_struct', 'anon_vma', 'anon_vma_chain', 'mm_struct', 'maple_node'] as const;
const STRUCTS = [...CACHES, 'page', 'folio', 'ptdesc'] as const;

/** One struct of the running kernel; null: it can't be seen, or the struct has no slab cache of its own. */
export interface StructInfo {
  readonly name: string;
  /** Bytes, from the kernel's type information. */
  readonly bytes: number | null;
  /** Bytes that one object takes in its slab cache, with padding and what the allocator keeps behind it. */
  readonly slabBytes: number | null;
  readonly objectsPerSlab: number | null;
  readonly pagesPerSlab: number | null;
}

/** Sizes in the running kernel. */
export interface KernelInfo {
  readonly release: string;
  readonly machine: string;
  readonly structs: readonly StructInfo[];
  /** Which columns are empty, and why. */
  readonly missing: readonly string[];
}

/** Sizes of the structs that reverse mapping needs, as the running kernel has them. `root` is where `/proc` and `/sys` are. @throws CannotObserve */
export function kernelInfo(root = '/'): KernelInfo {
  const missing: string[] = [];
  const sizes = btfSizes(root, missing);
  const slabs = slabInfo(root, missing);
  const structs = STRUCTS.map((name) => ({ name, bytes: sizes.get(name) ?? null, ...(slabs.get(name) ?? NO_SLAB) }));
  return { release: release(), machine: machine(), structs, missing };
}

/**
 * The layout of the running kernel, for the accounts of experiments: slab sizes where they can be read, else struct sizes, which
 * may be smaller. @throws CannotObserve when a struct can't be seen at all
 */
export function runningLayout({ structs, missing }: KernelInfo): Layout {
  const bytesOf = (wanted: keyof Layout): number => {
    const { slabBytes = null, bytes = null } = structs.find(({ name }) => name === wanted) ?? {};
    const size = slabBytes ?? bytes;
    if (size === null)
      throw new CannotObserve(`the running kernel does not say how large ${wanted} is: ${missing.join('; ') || 'it has none'}`);
    return Math.ceil(size / 8) * 8;
  };
  return {
    vm_area_struct: bytesOf('vm_area_struct'),
    mm_struct: bytesOf('mm_struct'),
    anon_vma: bytesOf('anon_vma'),
    anon_vma_chain: bytesOf('anon_vma_chain'),
  };
}

type SlabColumns = Pick<StructInfo, 'slabBytes' | 'objectsPerSlab' | 'pagesPerSlab'>;
const NO_SLAB: SlabColumns = { slabBytes: null, objectsPerSlab: null, pagesPerSlab: null };

function btfSizes(root: string, missing: string[]): Map<string, number> {
  const text = tryRead(join(root, 'sys/kernel/btf/vmlinux'));
  if (text instanceof Uint8Array) return structSizes(text, STRUCTS);
  missing.push(
    `struct sizes: ${text === 'denied' ? 'type information can be read by root alone' : 'a kernel without type information (CONFIG_DEBUG_INFO_BTF)'}`,
  );
  return new Map();
}

/** From sysfs, where caches that were merged have all their names, else from slabinfo. */
function slabInfo(root: string, missing: string[]): Map<string, SlabColumns> {
  const found = new Map<string, SlabColumns>();
  const lines = tryRead(join(root, 'proc/slabinfo'));
  for (const name of CACHES) {
    const slab =
      fromSysfs(root, name) ?? (lines instanceof Uint8Array ? fromSlabinfo(Buffer.from(lines).toString(), name) : null);
    if (slab !== null) found.set(name, slab);
  }
  if (found.size === 0)
    missing.push(
      `slab columns: ${lines === 'denied' ? 'slab caches are shown to root alone' : 'a kernel that does not show its slab caches'}`,
    );
  else if (found.size < CACHES.length)
    missing.push(`slab columns of ${CACHES.filter((name) => !found.has(name)).join(', ')}: no such cache is shown`);
  return found;
}

function fromSysfs(root: string, cache: string): SlabColumns | null {
  const [slabBytes, objectsPerSlab, order] = ['slab_size', 'objs_per_slab', 'order'].map((column) => {
    const text = tryRead(join(root, 'sys/kernel/slab', cache, column));
    return text instanceof Uint8Array ? Number.parseInt(Buffer.from(text).toString(), 10) : null;
  });
  return slabBytes === null || objectsPerSlab === null || order === null
    ? null
    : { slabBytes, objectsPerSlab, pagesPerSlab: 2 ** order };
}

/** Columns of /proc/slabinfo: name, active, number, object size, objects a slab, pages a slab. */
function fromSlabinfo(text: string, cache: string): SlabColumns | null {
  const fields = text
    .split('\n')
    .find((line) => line.startsWith(`${cache} `))
    ?.split(/\s+/);
  if (fields === undefined) return null;
  const [slabBytes, objectsPerSlab, pagesPerSlab] = fields.slice(3, 6).map(Number);
  return { slabBytes, objectsPerSlab, pagesPerSlab };
}

function tryRead(file: string): Uint8Array | 'denied' | 'absent' {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return 'denied';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
    throw error;
  }
}
