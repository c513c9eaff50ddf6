/** The longest time of a timer, in milliseconds: with more it rings at once. */
const LONGEST = 2 ** 31 - 1;

/** A time in seconds for a timer: whole milliseconds, and no more of them than it can wait. */
export const milliseconds = (seconds: number): number => Math.min(Math.ceil(seconds * 1000), LONGEST);
