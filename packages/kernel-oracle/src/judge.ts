import type { Operation, RmapStrategy } from '@rmap-lab/core';
import { Commands, resultOf } from './commands.js';
import type { Driver } from './driver.js';
import { fresh } from './fresh.js';
import { ModelRun, type Objects } from './model-run.js';
import { DEFAULT_SETTINGS, modelOptions, type Settings } from './settings.js';
import { side } from './side-by-side.js';
import { witness } from './witness.js';
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

/** A program as the driver takes it, with what the model says to each command. */
export interface Question {
  readonly program: readonly Operation[];
  readonly every: number;
  readonly commands: readonly string[];
  readonly expectations: readonly Expectation[];
  readonly observations: number;
}

/** One answer of the driver that is waited for. */
export interface Expectation {
  /** How many operations were done. */
  readonly done: number;
  readonly expected: string;
  /** Null: the answer is a look. */
  readonly operation: Operation | null;
}

const FORK: Operation = { op: 'fork', process: 0 };
/** What a driver says that counts no objects. */
const UNCOUNTED: Objects = [0, 0, 0];

/** Commands that the driver gets at once; between two batches there is time to stop. */
const BATCH = 1000;

/** Runs programs on the real kernel and in the model, and compares. */
export class Judge {
  constructor(
    private readonly driver: Driver,
    private readonly strategy: () => RmapStrategy,
    private readonly settings: Settings = DEFAULT_SETTINGS,
  ) {}

  /**
   * Compares every answer, and what can be seen after every `every` operations and at the end; a difference is traced to its operation.
   * `signal` ends it early: the verdict is of the operations done by then.
   */
  compare(program: readonly Operation[], every: number, signal?: AbortSignal): Promise<Verdict> {
    const question = this.prepare(program, every);
    return this.verdict(question, this.ask(question, signal));
  }

  /** Runs a program in the model: what is to be asked, and what to expect. */
  prepare(program: readonly Operation[], every: number): Question {
    const commands: string[] = [...fresh(program)];
    const expectations: Expectation[] = commands.map(() => ({ done: 0, expected: 'ok', operation: FORK }));
    const model = new ModelRun(this.strategy(), modelOptions(this.settings));
    const translate = new Commands(this.settings.swap ? swapInUse() : null);
    const { view } = this.driver;
    let observations = 0;
    const ask = (command: string, expected: string, operation: Operation | null, done: number): void => {
      commands.push(command);
      expectations.push({ done, expected, operation });
    };
    const look = (done: number): void => {
      const objects = view.anonVmas ? model.objects() : UNCOUNTED;
      ask(`h ${translate.slots.join(' ')}`, `${model.look({ view }).hash}|${objects.join(' ')}`, null, done);
      observations++;
    };
    program.forEach((operation, i) => {
      const needed = translate.commands(operation, model.actor(operation));
      const expected = model.apply(operation);
      needed.forEach((command, k) => {
        ask(command, k === needed.length - 1 ? expected : 'ok', operation, i + 1);
      });
      if ((i + 1) % every === 0 || i + 1 === program.length) look(i + 1);
    });
    for (const slot of translate.slots.splice(0)) ask(`x ${slot}`, 'ok', FORK, program.length);
    if (program.some(({ op }) => op === 'ksmScan')) ask('m', 'ok', FORK, program.length);
    model.end();
    look(program.length);
    return { program, every, commands, expectations, observations };
  }

  /** Hands a question to the kernel, which works on it while the caller goes on; one at a time. After `signal` there are fewer answers. */
  async ask({ commands }: Question, signal?: AbortSignal): Promise<string[]> {
    const answers: string[] = [];
    while (answers.length < commands.length && !signal?.aborted)
      answers.push(...(await this.driver.ask(commands.slice(answers.length, answers.length + BATCH))));
    if (answers.length < commands.length) await this.driver.ask(exits(commands.slice(0, answers.length)));
    return answers;
  }

  /** Compares the kernel's answers, which may be those of the first operations alone, with the model's. */
  async verdict(question: Question, answered: Promise<string[]>): Promise<Verdict> {
    const { program, every } = question;
    const answers = await answered;
    const differs = firstDifference(question, answers);
    const counts = countsOf(question, answers.length);
    if (differs === null) return { ...counts, difference: null };
    const fine = every === 1 ? differs : await this.differsAt(program.slice(0, differs));
    return { ...counts, difference: await this.explain(program.slice(0, fine ?? differs)) };
  }

  /** Whether a program shows a difference, and where: how many operations it took. */
  async differsAt(program: readonly Operation[]): Promise<number | null> {
    const question = this.prepare(program, 1);
    return firstDifference(question, await this.ask(question));
  }

  /** Both sides after the last operation of `program`. */
  private async explain(program: readonly Operation[]): Promise<Difference> {
    const last = program.length - 1;
    const { view } = this.driver;
    const { results, looks } = await witness(this.driver, program, this.settings, this.strategy, (i) => i === last);
    const model = new ModelRun(this.strategy(), modelOptions(this.settings));
    const expected = program.map((operation) => model.apply(operation));
    return {
      program,
      kernel: side(results[last], looks[0].records, view.anonVmas ? looks[0].objects : null),
      model: side(expected[last], model.look({ keep: true, view }).records, view.anonVmas ? model.objects() : null),
    };
  }
}

/** The end of all processes that these commands started; of one that has ended the driver says that it knows none. */
const exits = (commands: readonly string[]): string[] =>
  commands.flatMap((command) => /^[ft] \d+ (\d+)/.exec(command)?.[1] ?? []).map((slot) => `x ${slot}`);

/** How much was compared when so many answers came. */
function countsOf({ program, observations, expectations }: Question, answers: number): Omit<Verdict, 'difference'> {
  if (answers === expectations.length) return { operations: program.length, observations };
  const answered = expectations.slice(0, answers);
  return {
    operations: answered.at(-1)?.done ?? 0,
    observations: answered.filter(({ operation }) => operation === null).length,
  };
}

/** After how many operations an answer is not what was expected; null: all are. */
function firstDifference({ expectations }: Question, answers: readonly string[]): number | null {
  const wrong = expectations.slice(0, answers.length).findIndex(({ operation, expected }, i) => {
    const answer = operation === null ? answers[i] : resultOf(operation, answers[i]);
    return answer !== expected;
  });
  return wrong < 0 ? null : expectations[wrong].done;
}
