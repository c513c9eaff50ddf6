import { InputError } from '@rmap-lab/core';
import { ksmPages } from './ksm-pages.js';
import { lookersOn } from './lookers-on.js';
import { pairs } from './pairs.js';
import { randomScenario } from './random-scenario.js';
import type { ProgramScenario } from './scenario.js';
import { secondLooks } from './second-looks.js';
import { special } from './special.js';
import { others } from './triples.js';

/** Scenarios that come with the explorer: every pair of a change and a walker, and some more. */
export const scenarios: readonly ProgramScenario[] = [...pairs, ...others, ...special, ...ksmPages, ...lookersOn, ...secondLooks];

/** A name that no scenario has. */
export class UnknownScenario extends InputError {
  override readonly name = 'UnknownScenario';
}

/** The scenario of a name; `random-7` is drawn by its number. @throws UnknownScenario */
export function scenarioNamed(name: string): ProgramScenario {
  const seed = /^random-(\d{1,9})$/.exec(name)?.[1];
  if (seed !== undefined) return randomScenario(Number(seed));
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario !== undefined) return scenario;
  throw new UnknownScenario(
    `there is no scenario '${name}'; 'rmap-lab explore --list' names all ${scenarios.length}, and 'random-1', 'random-2' .. are drawn`,
  );
}
