import { describe, expect, it } from 'vitest';
import { seeded } from '../src/index.js';
import { DataRace, Races } from '../src/races.js';

const THREADS = 3;
const PLACES = 2;

type Clock = number[];

/** Remembers the clocks of all accesses, and compares every two. */
class Plain {
  private readonly clocks: Clock[] = Array.from({ length: THREADS + 1 }, (_, i) =>
    Array.from({ length: THREADS + 1 }, (_, j) => (i === j ? 1 : 0)),
  );
  private readonly released = new Map<string, Clock>();
  private readonly made: { thread: number; place: number; write: boolean; clock: number }[] = [];

  acquired(thread: number, lock: number, write: boolean): void {
    for (const way of write ? ['W', 'R'] : ['W']) this.join(this.clocks[thread], this.released.get(`${lock} ${way}`) ?? []);
  }

  gaveUp(thread: number, lock: number, write: boolean): void {
    const key = `${lock} ${write ? 'W' : 'R'}`;
    const into = this.released.get(key) ?? [];
    this.join(into, this.clocks[thread]);
    this.released.set(key, into);
    this.clocks[thread][thread]++;
  }

  /** Whether some access to the place is in a race with this one. */
  accessed(thread: number, place: number, write: boolean): boolean {
    const clock = this.clocks[thread];
    const race = this.made.some(
      (one) => one.place === place && one.thread !== thread && (write || one.write) && one.clock > clock[one.thread],
    );
    this.made.push({ thread, place, write, clock: clock[thread] });
    return race;
  }

  freed(thread: number, place: number): boolean {
    const race = this.accessed(thread, place, true);
    for (let i = this.made.length - 1; i >= 0; i--) if (this.made[i].place === place) this.made.splice(i, 1);
    return race;
  }

  private join(into: Clock, from: Clock): void {
    for (let i = 0; i < from.length; i++) into[i] = Math.max(into[i] ?? 0, from[i]);
  }
}

describe('data races by clocks that go on from run to run', () => {
  it('are those that comparing every two accesses of a run finds', () => {
    const draw = seeded(1);
    const races = new Races((thread) => `thread ${thread}`);
    const locks = [{}, {}];
    const cache = {};
    const object = {};
    let found = 0;
    for (let run = 0; run < 5000; run++) {
      races.restart(THREADS + 1);
      const plain = new Plain();
      for (let step = 0; step < 20; step++) {
        const thread = 1 + draw(THREADS);
        const lock = draw(4);
        const write = draw(2) === 0;
        const place = draw(PLACES);
        const kind = draw(8);
        let race = false;
        const mine = (): void => {
          if (kind < 2) races.acquired(thread, locks[lock >> 1], lock & 1, write);
          else if (kind < 4) races.released(thread, locks[lock >> 1], lock & 1, write);
          else if (kind < 7) races.accessed(thread, cache, place, write, object, 'x');
          else races.freed(thread, cache, place, object, ['x']);
        };
        if (kind < 2) plain.acquired(thread, lock, write);
        else if (kind < 4) plain.gaveUp(thread, lock, write);
        else if (kind < 7) race = plain.accessed(thread, place, write);
        else race = plain.freed(thread, place);
        if (!race) {
          expect(mine).not.toThrow();
          continue;
        }
        expect(mine).toThrow(DataRace);
        found++;
        break;
      }
    }
    expect(found).toBeGreaterThan(1000);
    expect(found).toBeLessThan(5000);
  });
});

it('are looked for among seven threads and no more, beside who sets up', () => {
  const races = new Races(String);
  expect(() => races.restart(8)).not.toThrow();
  expect(() => races.restart(9)).toThrow(
    'the scenario has 8 threads, and data races can be looked for among 7 at most; leave some out',
  );
});
