declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** A byte address in a 47-bit user address space. */
export type Address = Unit<'Address'>;
/** A virtual page number: an {@link Address} divided by the page size. */
export type Vpn = Unit<'Vpn'>;
/** A page offset: what keys pages within a file or an anonymous mapping (`vm_pgoff`, `folio->index`), in pages. */
export type Pgoff = Unit<'Pgoff'>;
/** A page frame number: an index into `mem_map`. */
export type Pfn = Unit<'Pfn'>;
/** A folio, named by the frame number of its head page. */
export type Folio = Unit<'Folio'>;
/** A slab object as a uint31 (never 0), so that it fits a folio's anchor word. */
export type Ref<T extends object> = number & { readonly [unit]: 'Ref'; readonly object?: T };

/** Bytes in a page. */
export const PAGE_SIZE = 4096;
/** Bytes in a kibibyte. */
export const KiB = 1024;
/** Bytes in a mebibyte. */
export const MiB = 1024 * KiB;
/** Bytes in a gibibyte. */
export const GiB = 1024 * MiB;
/** First byte behind the user address space: 47 bits less the guard page (`TASK_SIZE_MAX` on x86-64). */
export const TASK_SIZE = (2 ** 47 - PAGE_SIZE) as Address;

/** The page that `address` lies in. */
export const pageOf = (address: Address): Vpn => Math.floor(address / PAGE_SIZE) as Vpn;
/** First byte of page `vpn`. */
export const addressOf = (vpn: Vpn): Address => (vpn * PAGE_SIZE) as Address;
// Masks below take the low bits of numbers beyond 2^31, too; `%` of those is several times as slow.

/** Whether `bytes` is a whole number of pages. */
export const isAligned = (bytes: number): boolean => (bytes & (PAGE_SIZE - 1)) === 0 && Number.isSafeInteger(bytes);
/** `bytes` rounded down to a whole number of pages. */
export const alignDown = (bytes: number): number => bytes - (bytes & (PAGE_SIZE - 1));
/** `bytes` rounded up to a whole number of pages (`PAGE_ALIGN`). */
export const alignUp = (bytes: number): number => alignDown(bytes + PAGE_SIZE - 1);
