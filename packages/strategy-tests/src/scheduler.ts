/** A small seeded generator (mulberry32) of choices among n. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Picks one of n threads that can go on. Seeds differ in patience, too: some races need one thread to do much while another waits. */
export function scheduler(seed: number): (n: number) => number {
  const next = random(seed);
  const patience = [1, 4, 16][seed % 3];
  let current = 0;
  return (n) => {
    if (current >= n || next(patience) === 0) current = next(n);
    return current;
  };
}
