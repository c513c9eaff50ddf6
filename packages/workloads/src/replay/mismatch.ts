/** The model can't do what was recorded, or answers differently; the replay adds file and record. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

/** A number as addresses are written. */
export const hex = (value: number): string => `0x${value.toString(16)}`;
