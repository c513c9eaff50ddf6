/** Bytes that one object takes in its slab, padding included, for the accounts. */
export interface Layout {
  readonly vm_area_struct: number;
  readonly mm_struct: number;
  readonly anon_vma: number;
  readonly anon_vma_chain: number;
}

/** x86-64, Linux 6.18. Larger than the structs: `mm_struct` has its CPU masks behind it, `anon_vma` the pointer to the next free one. */
export const LINUX_6_18: Layout = { vm_area_struct: 192, mm_struct: 1600, anon_vma: 104, anon_vma_chain: 64 };

/** Bytes of an object in `layout` that takes `bytes` in Linux 6.18: a design that adds fields to a struct of Linux keeps its addition. */
export function bytesIn(layout: Layout, cache: string, bytes: number): number {
  const name = cache as keyof Layout;
  return Object.hasOwn(LINUX_6_18, cache) ? bytes + layout[name] - LINUX_6_18[name] : bytes;
}
