import type { ConformanceCase } from './case.js';
import { printable } from './report/printable.js';
import type { CaseResult, Outcome } from './run.js';

/** A result, or a part of one, that came from where a strategy ran: whatever it is. */
type Said = Readonly<Record<string, unknown>>;

const OUTCOMES: readonly unknown[] = ['passed', 'failed', 'refused', 'unverified'] satisfies Outcome[];
const OTHER = 'sent the result of another case than it was run on; does it change built-in objects?';
const PICTURES = ['schedule', 'before', 'after', 'mappings'] as const;

/** Why what a strategy's process sent doesn't count, in words behind the strategy's name. */
export class NoResult extends Error {
  override readonly name = 'NoResult';
  constructor(message = 'sent something that is no result') {
    super(message);
  }
}

/** The name of a strategy, in one line. @throws NoResult */
export const nameFrom = (said: unknown): string => textFrom(said).replace(/\s+/g, ' ');

/**
 * The result of a case from a process in which a strategy may have changed whatever is built in: how the case ended is taken from
 * there, what the case is is not. @throws NoResult
 */
export function resultFrom({ id, level, rule, strength, title, why }: ConformanceCase, said: unknown): CaseResult {
  const { id: of, outcome, everyInterleaving, milliseconds, message, broken, code, evidence } = Object(said) as Said;
  if (of !== id) throw new NoResult(OTHER);
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
