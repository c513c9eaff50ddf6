/**
 * How many rows to have after `rows`. From `many` on they grow by a sixteenth: copying them more often costs less than idle
 * rows would, which are memory that simulates nothing.
 */
export const largerThan = (rows: number, many: number): number => (rows < many ? rows * 2 : rows + (rows >>> 4));
