import type { Operation, RmapStrategy } from '@rmap-lab/core';
import { Commands, resultOf } from './commands.js';
import type { Driver } from './driver.js';
import { fresh } from './fresh.js';
import { ModelRun, type Objects } from './model-run.js';
import { modelOptions, type Settings } from './settings.js';
import { swapInUse } from './zram.js';

/** What could be seen of all processes at one time. */
interface Seen {
  readonly objects: Objects;
  readonly records: readonly (readonly number[])[];
}

/** What the kernel says to a program. */
export interface Testimony {
  /** One for each operation: 'ok', the errno, or the signal. */
  readonly results: readonly string[];
  /** One for each operation after which it was asked to look. */
  readonly looks: readonly Seen[];
}

/**
 * Runs a program on the real kernel, in an order of things that is as `settings` say, and writes down what it says; `looks` says after
 * which operations to look at everything. The model runs along, because some commands name VMAs.
 */
export async function witness(
  driver: Driver,
  program: readonly Operation[],
  settings: Settings,
  strategy: () => RmapStrategy,
  looks: (after: number) => boolean,
): Promise<Testimony> {
  const model = new ModelRun(strategy(), modelOptions(settings));
  const translate = new Commands(settings.swap ? swapInUse() : null);
  const commands: string[] = [...fresh(program)];
  const answerOf: (number | null)[] = [];
  const lookAt: number[] = [];
  program.forEach((operation, i) => {
    const needed = translate.commands(operation, model.actor(operation));
    model.apply(operation);
    commands.push(...needed);
    answerOf.push(needed.length === 0 ? null : commands.length - 1);
    if (!looks(i)) return;
    commands.push(`l ${translate.slots.join(' ')}`);
    lookAt.push(commands.length - 1);
  });
  commands.push(...translate.slots.map((slot) => `x ${slot}`));
  if (program.some(({ op }) => op === 'ksmScan')) commands.push('m');
  const answers = await driver.ask(commands);
  return {
    results: program.map((operation, i) => {
      const at = answerOf[i];
      return at === null ? 'ok' : resultOf(operation, answers[at]);
    }),
    looks: lookAt.map((at) => seenOf(answers[at])),
  };
}

function seenOf(answer: string): Seen {
  const [records, objects] = answer.split('|');
  return {
    objects: objects.split(' ').map(Number) as unknown as Objects,
    records: records
      .split(';')
      .slice(0, -1)
      .map((record) => record.split(' ').map((word) => Number.parseInt(word, 16))),
  };
}
