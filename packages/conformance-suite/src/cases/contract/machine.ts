import { Kernel, ProgramRun } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../../case.js';
import { contractCase, expect, play, shared, show, VARIED, ways } from './stage.js';

const FEATURES = ['large-folio', 'private-file', 'swap', 'migrate', 'ksm', 'uffd-move', 'collapse', 'folio-split'];

/** Strategies need not be written in TypeScript. @throws CaseFailure */
function oneOf(words: readonly string[], word: string, what: string): void {
  expect(words.includes(word), `${what} is '${word}', not one of ${words.join(', ')}`);
}

/** Where a program gets the time and chance from. */
const SOURCES: readonly (readonly [of: object, name: string, called: string])[] = [
  [Math, 'random', 'Math.random'],
  [globalThis, 'Date', 'Date'],
  [performance, 'now', 'performance.now'],
  [process, 'hrtime', 'process.hrtime'],
  [crypto, 'getRandomValues', 'crypto.getRandomValues'],
  [crypto, 'randomUUID', 'crypto.randomUUID'],
];

/** Runs `body` where nobody can look at a clock or draw a random number. */
function withoutChance(body: () => void): void {
  const saved = SOURCES.map(([of, name]) => Object.getOwnPropertyDescriptor(of, name));
  for (const [of, name, called] of SOURCES) {
    const use = (): never => {
      throw new CaseFailure(`a hook uses ${called}`);
    };
    const value = new Proxy(use, { get: use, construct: use });
    Object.defineProperty(of, name, { configurable: true, writable: true, value });
  }
  try {
    body();
  } finally {
    for (const [i, [of, name]] of SOURCES.entries()) {
      Reflect.deleteProperty(of, name);
      if (saved[i] !== undefined) Object.defineProperty(of, name, saved[i]);
    }
  }
}

/** What a strategy says of itself, and that machines under it are their own: alone, repeatable, free to be looked at. */
export const ofTheMachine: readonly ConformanceCase[] = [
  contractCase('describes-itself', 'R33', 'the strategy says what it is', 'the fields of RmapStrategy', ({ strategy }) => {
    expect(typeof strategy.name === 'string' && strategy.name.trim().length > 0, 'the name is empty');
    expect(strategy.contract === 1, `the contract is ${strategy.contract}, this suite is for 1`);
    oneOf(['mmap-lock', 'vma-lock'], strategy.prepareUnder, 'prepareUnder');
    oneOf(['anchors', 'direct'], strategy.ksm, 'ksm');
    oneOf(['managed', 'free'], strategy.state ?? 'free', 'state');
    expect(Array.isArray(strategy.locks), `locks is ${strategy.locks}, not a list of lock classes`);
    for (const { name, slot, kind } of strategy.locks) {
      expect(typeof name === 'string' && name.trim().length > 0, 'a lock class has no name');
      oneOf(['above-ptl', 'below-ptl'], slot, `the slot of lock class '${name}'`);
      oneOf(['rwsem', 'spin'], kind, `the kind of lock class '${name}'`);
    }
    for (const part of ['vma', 'mm', 'folio'] as const) {
      const bytes = strategy.bytes?.[part];
      expect(Number.isInteger(bytes) && bytes >= 0, `bytes.${part} is ${bytes}, not a whole number`);
    }
    for (const [feature, reason] of Object.entries(strategy.unsupported ?? {})) {
      expect(FEATURES.includes(feature), `'${feature}' in unsupported is no feature: one of ${FEATURES.join(', ')}`);
      expect(typeof reason === 'string' && reason.length > 10, `the reason for '${feature}' says nothing: a sentence is due`);
    }
  }),
  contractCase('locks-are-named-once', 'R28', 'lock classes have names of their own', 'lockdep classes', ({ strategy }) => {
    const names = strategy.locks.map(({ name }) => name);
    expect(new Set(names).size === names.length, `a lock class is declared twice: ${names.join(', ')}`);
  }),
  contractCase(
    'finding-is-never-optional',
    'R17',
    'finding every mapping is not refused',
    'the purpose of a reverse map',
    ({ strategy }) => {
      const { kernel } = play(strategy, VARIED);
      expect(kernel.verify().mappings > 0, 'the program maps nothing');
    },
  ),
  contractCase(
    'two-kernels',
    'R1',
    'two machines under one strategy do not know of each other',
    'nothing global in create',
    ({ strategy }) => {
      const alone = show(play(strategy, VARIED).kernel);
      const one = new ProgramRun(new Kernel({ strategy }));
      const two = new ProgramRun(new Kernel({ strategy }));
      for (const operation of VARIED) {
        one.apply(operation);
        two.apply(operation);
      }
      expect(show(one.kernel) === alone && show(two.kernel) === alone, 'a machine beside another ends otherwise than alone');
    },
  ),
  contractCase(
    'deterministic',
    'R32',
    'the same program gives the same objects, costs and answers',
    'reproducible experiments',
    ({ strategy }) => {
      for (const [program, options] of ways(strategy)) {
        const [once, again] = [1, 2].map(() => show(play(strategy, program, options).kernel));
        expect(once === again, 'two runs of one program differ');
      }
    },
  ),
  contractCase(
    'inspect-changes-nothing',
    'R34',
    'looking at the objects changes nothing',
    'viewers and failure reports look at any time',
    ({ strategy }) => {
      const { kernel } = play(strategy, VARIED);
      const before = show(kernel);
      kernel.inspect();
      expect(show(kernel) === before, '`inspect` changed what is counted or shown');
      kernel.verify();
    },
  ),
  contractCase(
    'inspect-costs-nothing',
    'R34',
    'a walk after a look at the objects costs what it costs without',
    'what a viewer shows must not be part of what is measured',
    ({ strategy }) => {
      const walked = (looks: number): string => {
        const { kernel, folio } = shared(strategy);
        for (let i = 0; i < looks; i++) kernel.inspect();
        return JSON.stringify([kernel.walk(folio).candidates, kernel.stats()]);
      };
      expect(walked(0) === walked(2), 'walks after `inspect` are counted otherwise than without');
    },
  ),
  contractCase(
    'inspect-names-nodes',
    'R34',
    'edges lead to nodes, processes and VMAs that are there',
    'ObjectGraph',
    ({ strategy }) => {
      const { nodes, edges } = play(strategy, VARIED).kernel.inspect();
      const ids = new Set(nodes.map(({ id }) => id));
      expect(ids.size === nodes.length, 'two nodes have the same id');
      const lost = edges.find(({ to }) => !ids.has(to) && !/^(mm|vma|folio):/.test(to));
      expect(lost === undefined, `the edge ${lost?.label} from ${lost?.from} leads to ${lost?.to}, which is not shown`);
    },
  ),
  contractCase(
    'no-clock',
    'R32',
    'no hook looks at a clock or draws a random number',
    'reproducible experiments',
    ({ strategy }) => {
      withoutChance(() => {
        play(strategy, VARIED).kernel.verify();
        for (const [program, options] of ways(strategy)) play(strategy, program, options);
      });
    },
  ),
];
