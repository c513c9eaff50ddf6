import { describe, expect, it } from 'vitest';
import { Kernel, type Rmap, type RmapServices, type RmapStrategy, UseAfterFree } from '../src/index.js';
import { scanAll } from './support/scan-all.js';

const base = scanAll();
const servicesOf = (checked: boolean): RmapServices => {
  let services: RmapServices | null = null;
  const strategy: RmapStrategy = {
    ...base,
    create: (given): Rmap => {
      services = given;
      return base.create(given);
    },
  };
  new Kernel({ strategy, checked });
  return services as unknown as RmapServices;
};

describe("an object of a strategy's type-safe cache", () => {
  it.each([true, false])('may be looked at after its free in an RCU section only (checked: %s)', (checked) => {
    const services = servicesOf(checked);
    const cache = services.slab('thing', { bytes: 8, create: () => ({ word: 0 }), typesafeByRcu: true });
    const thing = cache.tryAlloc() as { word: number };
    thing.word = 7;
    cache.free(thing);
    services.rcu.readLock();
    expect(thing.word).toBe(7);
    services.rcu.readUnlock();
    if (!checked) return;
    expect(() => thing.word).toThrow(UseAfterFree);
    expect(cache.tryAlloc()).toBe(thing);
    expect(thing.word).toBe(7);
  });
});

it.each([true, false])('what is freed into another cache than it came from is refused (checked: %s)', (checked) => {
  const services = servicesOf(checked);
  const [things, others] = ['thing', 'other'].map((name) => services.slab(name, { bytes: 8, create: () => ({ word: 0 }) }));
  others.tryAlloc();
  const thing = things.tryAlloc() as { word: number };
  for (const object of [thing, { word: 0 }]) expect(() => others.free(object)).toThrow('no object of this cache');
  things.free(thing);
});
