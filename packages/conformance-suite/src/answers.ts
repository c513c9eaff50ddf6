import { ContractViolation, isOp, type Op, type Rmap } from '@rmap-lab/core';

/** What a hook may answer: in words, how an answer is told, and whether an operation may give it. */
interface Form {
  readonly words: string;
  fits(answer: unknown): boolean;
  readonly waits: 'may' | 'must' | 'never';
}

const nothing: Form = { words: 'nothing', fits: (answer) => !answer, waits: 'may' };
const operation: Form = { words: 'an operation (what a generator answers)', fits: () => false, waits: 'must' };
const yesOrNo: Form = { words: 'true or false', fits: (answer) => typeof answer === 'boolean', waits: 'never' };
const object: Form = {
  words: 'an object',
  fits: (answer) => typeof answer === 'object' && answer !== null && !(answer instanceof Promise),
  waits: 'never',
};
const hold: Form = {
  words: 'a positive number, GONE or BUSY',
  fits: (answer) => Number.isSafeInteger(answer) && (answer as number) >= -1,
  waits: 'may',
};

/** Of hooks that answer something. */
const FORMS: Readonly<Partial<Record<keyof Rmap, Form>>> = {
  forkMm: operation,
  adjust: operation,
  move: operation,
  walk: operation,
  canMerge: yesOrNo,
  reaches: yesOrNo,
  survivor: { ...object, words: 'one of the two VMAs, or null', fits: (answer) => answer === null || object.fits(answer) },
  inspect: object,
  hold,
  holdVma: hold,
};

/**
 * R3: hooks answer in the form that is due. Strategies need not be written in TypeScript, and what core makes of another answer says
 * nothing of the hook.
 */
export function watchAnswers(rmap: Rmap): void {
  const hooks = rmap as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, hook] of Object.entries(hooks)) {
    const form = FORMS[name as keyof Rmap] ?? nothing;
    hooks[name] = (...args) => answered(name, form, hook(...args));
  }
}

/** What a strategy made. @throws ContractViolation R3 when that is no object */
export const made = (rmap: unknown): Rmap => checked('create', { ...object, words: 'an object with the hooks' }, rmap) as Rmap;

function answered(hook: string, form: Form, answer: unknown): unknown {
  if (!isOp(answer)) return checked(hook, form, answer);
  if (form.waits === 'never') throw wrong(hook, form, 'a generator (it may not wait)');
  return form === hold ? later(hook, form, answer) : answer;
}

function* later(hook: string, form: Form, op: Op<unknown>): Op<unknown> {
  return checked(hook, form, yield* op);
}

function checked(hook: string, form: Form, answer: unknown): unknown {
  if (form.fits(answer)) return answer;
  throw wrong(hook, form, shown(answer));
}

const wrong = (hook: string, { words }: Form, answer: string): ContractViolation =>
  new ContractViolation('R3', hook, 'a call of the contract', `it answers ${answer}, where ${words} is due`);

function shown(answer: unknown): string {
  if (answer instanceof Promise) return 'a promise (none is async: those that wait are generators)';
  if (typeof answer === 'function' || (typeof answer === 'object' && answer !== null))
    return typeof answer === 'function' ? 'a function' : 'an object';
  return String(answer);
}
