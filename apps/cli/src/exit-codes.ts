/** What the command's exit status says. */
export const exitCode = {
  fine: 0,
  /** The strategy missed a mapping, or something broke a rule. */
  broken: 1,
  /** Bad usage or bad input: an unknown name, a trace that can't be read or replayed. */
  badInput: 2,
  /** Stopped by Ctrl-C; what was printed is of what was done. */
  interrupted: 130,
} as const;
