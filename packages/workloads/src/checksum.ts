import { crc32 } from 'node:zlib';

/** CRC-32 over the lines of a trace, taken piece by piece, with their line feeds. */
export class Checksum {
  private value = 0;

  add(lines: string | Uint8Array): void {
    this.value = crc32(lines, this.value);
  }

  /** As the end record writes it. */
  toString(): string {
    return this.value.toString(16).padStart(8, '0');
  }
}
