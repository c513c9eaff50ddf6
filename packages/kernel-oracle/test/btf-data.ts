export const INT = 1;
export const STRUCT = 4;

/** One type of a BTF file; `body` is the bytes after its header. */
export interface TestType {
  readonly kind: number;
  readonly name: string;
  readonly size: number;
  readonly members?: number;
  readonly body: number;
}

/** A BTF file with these types. */
export function btf(types: readonly TestType[], little = true): Uint8Array {
  const strings = `\0${types.map(({ name }) => `${name}\0`).join('')}`;
  const typeBytes = types.reduce((sum, { body }) => sum + 12 + body, 0);
  const data = new Uint8Array(24 + typeBytes + strings.length);
  const view = new DataView(data.buffer);
  view.setUint16(0, 0xeb9f, little);
  data[2] = 1;
  [24, 0, typeBytes, typeBytes, strings.length].forEach((word, i) => void view.setUint32(4 + 4 * i, word, little));
  let at = 24;
  let name = 1;
  for (const type of types) {
    view.setUint32(at, name, little);
    view.setUint32(at + 4, (type.kind << 24) | (type.members ?? 0), little);
    view.setUint32(at + 8, type.size, little);
    at += 12 + type.body;
    name += type.name.length + 1;
  }
  data.set(new TextEncoder().encode(strings), at);
  return data;
}
