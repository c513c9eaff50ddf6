/** What a trace may not exceed, so that no input exhausts memory. */
export const LIMITS = {
  /** Bytes in the longest line. */
  lineBytes: 2 ** 20,
  /** Records, header and end included. */
  records: 2 ** 29,
  /** Bytes of uncompressed text in a file. */
  fileBytes: 2 ** 31,
  /** Bytes of uncompressed text in a trace that is parsed in memory. */
  memoryBytes: 2 ** 28,
} as const;
