import { CannotObserve } from './compile.js';

const MAGIC = 0xeb9f;
const STRUCT = 4;
/** Bytes after a type's header of 12 bytes, by kind (Documentation/bpf/btf.rst): a fixed part, and one for each member. */
const BODY: readonly (readonly [fixed: number, member: number])[] = [
  [0, 0],
  [4, 0], // INT
  [0, 0],
  [12, 0], // ARRAY
  [0, 12], // STRUCT
  [0, 12], // UNION
  [0, 8], // ENUM
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8], // FUNC_PROTO
  [4, 0], // VAR
  [0, 12], // DATASEC
  [0, 0],
  [4, 0], // DECL_TAG
  [0, 0],
  [0, 12], // ENUM64
];

/** Sizes in bytes of the named structs in BTF data, as in `/sys/kernel/btf/vmlinux`; those it does not have are left out. @throws CannotObserve */
export function structSizes(btf: Uint8Array, names: readonly string[]): Map<string, number> {
  const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
  const sizes = new Map<string, number>();
  try {
    const little = view.getUint16(0, true) === MAGIC;
    if (!little && view.getUint16(0) !== MAGIC) throw unreadable('it does not begin as BTF does');
    const word = (at: number): number => view.getUint32(at, little);
    const header = word(4);
    const types = header + word(8);
    const strings = header + word(16);
    for (let at = types; at < types + word(12); ) {
      const info = word(at + 4);
      const kind = (info >>> 24) & 31;
      if (kind >= BODY.length) throw unreadable(`it has a type of kind ${kind}, newer than this reader`);
      if (kind === STRUCT) {
        const name = nameAt(btf, strings + word(at));
        if (names.includes(name) && !sizes.has(name)) sizes.set(name, word(at + 8));
      }
      const [fixed, member] = BODY[kind];
      at += 12 + fixed + member * (info & 0xffff);
    }
  } catch (error) {
    if (error instanceof RangeError) throw unreadable('it ends too early');
    throw error;
  }
  return sizes;
}

const unreadable = (reason: string): CannotObserve => new CannotObserve(`the kernel's type information can't be read: ${reason}`);

const decoder = new TextDecoder();
const nameAt = (btf: Uint8Array, at: number): string => decoder.decode(btf.subarray(at, btf.indexOf(0, at)));
