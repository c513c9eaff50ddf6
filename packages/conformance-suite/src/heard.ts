import type { ConformanceCase } from './case.js';
import { SEED } from './defaults.js';
import { printable } from './report/printable.js';
import { type CaseResult, type ConformanceOptions, type ConformanceReport, type Outcome, reportOf, selectCases } from './run.js';

/** Of a whole report, or of a result, that came from where a strategy ran: whatever it is. */
type Said = Readonly<Record<string, unknown>>;

const OUTCOMES: readonly unknown[] = ['passed', 'failed', 'refused', 'unverified'] satisfies Outcome[];
const OTHERS = 'sent results of other cases than it was run on; does it change built-in objects?';
const PICTURES = ['schedule', 'before', 'after', 'mappings'] as const;

/** Why what a strategy's process sent doesn't count, in words behind the strategy's name. */
export class NoResult extends Error {
  override readonly name = 'NoResult';
  constructor(message = 'sent something that is no result') {
    super(message);
  }
}

/**
 * A report from a process in which a strategy may have changed whatever is built in: how each case ended is taken from there, what the
 * cases are and what the results amount to is not. @throws NoResult
 */
export function reportFrom(said: unknown, options: ConformanceOptions): ConformanceReport {
  const { strategy, results, seconds } = Object(said) as Said;
  const chosen = selectCases(options);
  if (!Array.isArray(results)) throw new NoResult();
  if (results.length !== chosen.length) throw new NoResult(OTHERS);
  const known = chosen.map((each, i) => resultFrom(each, results[i]));
  return reportOf(textFrom(strategy).replace(/\s+/g, ' '), options.seed ?? SEED, known, numberFrom(seconds));
}

function resultFrom({ id, level, rule, strength, title, why }: ConformanceCase, said: unknown): CaseResult {
  const { id: of, outcome, everyInterleaving, milliseconds, message, broken, code, evidence } = Object(said) as Said;
  if (of !== id) throw new NoResult(OTHERS);
  if (!OUTCOMES.includes(outcome)) throw new NoResult();
  if (typeof everyInterleaving !== 'boolean' && everyInterleaving !== null) throw new NoResult();
  const orNull = (text: unknown): string | null => (text === null ? null : textFrom(text));
  const pictures = Object(evidence) as Said;
  return {
    ...{ id, level, rule, strength, title, why },
    outcome: outcome as Outcome,
    everyInterleaving,
    milliseconds: numberFrom(milliseconds),
    message: orNull(message),
    broken: orNull(broken),
    code: orNull(code),
    evidence: Object.fromEntries(
      PICTURES.filter((each) => pictures[each] !== undefined).map((each) => [each, textFrom(pictures[each])]),
    ),
  };
}

function textFrom(said: unknown): string {
  if (typeof said !== 'string') throw new NoResult();
  return printable(said);
}

function numberFrom(said: unknown): number {
  if (typeof said !== 'number') throw new NoResult();
  return said;
}
