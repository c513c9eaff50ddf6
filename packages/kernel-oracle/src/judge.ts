import type { Operation, RmapStrategy } from '@rmap-lab/core';
import { Commands, resultOf } from './commands.js';
import type { Driver } from './driver.js';
import { ModelRun, type Objects } from './model-run.js';
import { recordText } from './records.js';
import { modelOptions, type Settings } from './settings.js';
import { swapInUse } from './zram.js';

/** A difference between model and kernel, at one operation of a program. */
export interface Difference {
  /** The program up to and including the operation at which it shows. */
  readonly program: readonly Operation[];
  /** What differs, in words: one line each side. */
  readonly kernel: readonly string[];
  readonly model: readonly string[];
}

/** What one program gave. */
export interface Verdict {
  readonly operations: number;
  readonly observations: number;
  readonly difference: Difference | null;
}

/** One answer of the driver that is waited for, and what the model says. */
interface Expectation {
  /** How many operations were done. */
  readonly done: number;
  readonly expected: string;
  /** Null: the answer is a look. */
  readonly operation: Operation | null;
}

/** As Linux starts, without swap. */
const DEFAULT_SETTINGS: Settings = { orders: [9], swap: false };

/** VMAs of a worker that are no part of a program: its image and the mailboxes. */
const OWN_VMAS = 4;

/** The file as it was, and a process for the program. */
const FRESH = ['a', 'f 0 1'] as const;

/** Runs programs on the real kernel and in the model, and compares. */
export class Judge {
  constructor(
    private readonly driver: Driver,
    private readonly strategy: () => RmapStrategy,
    private readonly settings: Settings = DEFAULT_SETTINGS,
  ) {}

  /** Compares every answer, and what can be seen after every `every` operations and at the end; a difference is traced to its operation. */
  async compare(program: readonly Operation[], every: number): Promise<Verdict> {
    const coarse = await this.run(program, every);
    if (coarse.differs === null) return { ...coarse, difference: null };
    const fine = every === 1 ? coarse : await this.run(program, 1);
    return { ...coarse, difference: await this.explain(program.slice(0, fine.differs ?? coarse.differs)) };
  }

  /** Whether a program shows a difference, and where: how many operations it took. */
  async differsAt(program: readonly Operation[]): Promise<number | null> {
    return (await this.run(program, 1)).differs;
  }

  private async run(program: readonly Operation[], every: number) {
    const commands: string[] = [...FRESH];
    const expectations: Expectation[] = FRESH.map(() => ({ done: 0, expected: 'ok', operation: { op: 'fork', process: 0 } }));
    const model = new ModelRun(this.strategy(), modelOptions(this.settings));
    const translate = new Commands(this.settings.swap ? swapInUse() : null);
    let observations = 0;
    program.forEach((operation, i) => {
      const needed = translate.commands(operation, model.processes[operation.process % model.processes.length]);
      const expected = model.apply(operation);
      needed.forEach((command, k) => {
        commands.push(command);
        expectations.push({ done: i + 1, expected: k === needed.length - 1 ? expected : 'ok', operation });
      });
      if ((i + 1) % every !== 0 && i + 1 !== program.length) return;
      commands.push(`h ${translate.slots.join(' ')}`);
      expectations.push({ done: i + 1, expected: `${model.look().hash} ${count(model.objects(OWN_VMAS))}`, operation: null });
      observations++;
    });
    for (const slot of translate.slots) {
      commands.push(`x ${slot}`);
      expectations.push({ done: program.length, expected: 'ok', operation: { op: 'exit', process: 0 } });
    }
    if (program.some(({ op }) => op === 'ksmScan')) {
      commands.push('m');
      expectations.push({ done: program.length, expected: 'ok', operation: { op: 'ksmUnmerge', process: 0 } });
    }
    model.end();
    commands.push('h');
    expectations.push({
      done: program.length,
      expected: `${model.look().hash} ${count(model.objects(OWN_VMAS))}`,
      operation: null,
    });
    const answers = await this.driver.ask(commands);
    const wrong = expectations.findIndex(({ operation, expected }, i) => {
      const answer = operation === null ? answers[i] : resultOf(operation, answers[i]);
      return answer !== expected;
    });
    return { operations: program.length, observations, differs: wrong < 0 ? null : expectations[wrong].done };
  }

  /** Both sides after the last operation of `program`, or at the end if they agree there. */
  private async explain(program: readonly Operation[]): Promise<Difference> {
    const model = new ModelRun(this.strategy(), modelOptions(this.settings));
    const translate = new Commands(this.settings.swap ? swapInUse() : null);
    const commands: string[] = [...FRESH];
    let expected = 'ok';
    let last: Operation = { op: 'fork', process: 0 };
    for (const operation of program) {
      const needed = translate.commands(operation, model.processes[operation.process % model.processes.length]);
      expected = model.apply(operation);
      if (needed.length === 0) continue;
      commands.push(...needed);
      last = operation;
    }
    const answer = commands.length - 1;
    const lines = await this.driver.askRecords([...commands, `l ${translate.slots.join(' ')}`], 'end');
    const kernelObjects = lines[lines.length - 1].slice('end '.length);
    const records = lines.slice(answer + 1, -1).map((line) => line.split(' ').map((word) => Number.parseInt(word, 16)));
    await this.driver.ask(translate.slots.map((slot) => `x ${slot}`).concat('m'));
    return {
      program,
      kernel: side(resultOf(last, lines[answer]), records, kernelObjects),
      model: side(expected, model.look(true).records, count(model.objects(OWN_VMAS))),
    };
  }
}

const count = (objects: Objects): string => objects.join(' ');

const side = (result: string, records: readonly (readonly number[])[], objects: string): string[] => {
  const [vmas, anonVmas, chains] = objects.split(' ');
  const counts = `live: vm_area_struct ${vmas}, anon_vma ${anonVmas}, anon_vma_chain ${chains}`;
  return [`result: ${result}`, counts, ...records.map(recordText)];
};
