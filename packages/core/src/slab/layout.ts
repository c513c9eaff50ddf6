/** Bytes that one object takes in its slab, for the accounts. */
export interface Layout {
  readonly vm_area_struct: number;
  readonly mm_struct: number;
}

/** x86-64, Linux 6.18: `vm_area_struct` is 192 bytes, `mm_struct` 1472 in BTF and 1600 in its slab. */
export const LINUX_6_18: Layout = { vm_area_struct: 192, mm_struct: 1600 };
