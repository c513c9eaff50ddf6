import { InvalidArgumentError } from 'commander';

/** A figure as tables show it: with one decimal, and what would be rounded to nothing with one digit. `useGrouping`: thousands apart. */
export function shown(n: number, useGrouping = true): string {
  const digits = Math.abs(n) < 0.05 ? { maximumSignificantDigits: 1 } : { maximumFractionDigits: 1 };
  return n.toLocaleString('en-US', { ...digits, useGrouping });
}

/** The whole number that an option says. */
export function wholeNumber(text: string): number {
  const n = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(n)) throw new InvalidArgumentError('it must be a whole number');
  return n;
}

/** The same for an option that counts. */
export function count(text: string): number {
  const n = wholeNumber(text);
  if (n < 0) throw new InvalidArgumentError('it must be 0 or more');
  return n;
}

/** The same for an option of which nothing, or less, makes no sense. */
export function positive(text: string): number {
  const n = wholeNumber(text);
  if (n < 1) throw new InvalidArgumentError('it must be at least 1');
  return n;
}
