/**
 * The shortest program found by leaving out parts of `program`, from halves down to single operations, for as long as that finds
 * anything. `failsAt` says after how many operations a program shows what is looked for, or null.
 */
export async function shrink<T>(
  program: readonly T[],
  failsAt: (program: readonly T[]) => Promise<number | null>,
): Promise<readonly T[]> {
  let best = program;
  for (let before = Number.POSITIVE_INFINITY; best.length < before; ) {
    before = best.length;
    for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < best.length; ) {
        const rest = [...best.slice(0, at), ...best.slice(at + size)];
        const end = rest.length === 0 ? null : await failsAt(rest);
        if (end === null) at += size;
        else best = rest.slice(0, end);
      }
    }
  }
  return best;
}
