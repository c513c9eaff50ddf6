import * as core from '@rmap-lab/core';

/** Flags that strace prints and the model has no use for, with Linux's values on x86-64. */
const OTHERS: Readonly<Record<string, number>> = {
  PROT_GROWSUP: 0x02000000,
  MAP_SHARED_VALIDATE: 3,
  MAP_DENYWRITE: 0x800,
  MAP_EXECUTABLE: 0x1000,
  MAP_HUGETLB: 0x40000,
  MAP_SYNC: 0x80000,
  MAP_32BIT: 0x40,
  MAP_UNINITIALIZED: 0x4000000,
  MADV_REMOVE: 9,
  MADV_HWPOISON: 100,
  MADV_SOFT_OFFLINE: 101,
  MADV_PAGEOUT: 21,
  MADV_DONTNEED_LOCKED: 24,
  MADV_COLLAPSE: 25,
};

/** The value of `PROT_READ|PROT_WRITE`, a symbol, a number or a remark after one. @throws SyntaxError for a symbol that is not known */
export function symbols(text: string): number {
  return text
    .replace(/\/\*.*\*\//, '')
    .split('|')
    .reduce((sum, symbol) => sum + symbolValue(symbol.trim()), 0);
}

function symbolValue(symbol: string): number {
  if (symbol === 'NULL') return 0;
  const number = Number(symbol);
  if (symbol !== '' && !Number.isNaN(number)) return number;
  const shifted = /^(\d+)<<MAP_HUGE_SHIFT$/.exec(symbol);
  if (shifted !== null) return Number(shifted[1]) * 2 ** 26;
  const known: unknown = (core as Readonly<Record<string, unknown>>)[symbol] ?? OTHERS[symbol];
  if (typeof known !== 'number') throw new SyntaxError(`'${symbol}' is no number and no flag that is known`);
  return known;
}
