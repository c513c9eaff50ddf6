import type { Operation } from './operation.js';

/** A program as TypeScript that can be pasted into a test: one line an operation. */
export function programToCode(program: readonly Operation[]): string {
  const lines = program.map((operation) => `  ${literal(operation)},`);
  return `const program: Operation[] = [\n${lines.join('\n')}\n];`;
}

const literal = (operation: Operation): string => {
  const fields = Object.entries(operation).map(
    ([key, value]) => `${key}: ${typeof value === 'string' ? `'${value}'` : String(value)}`,
  );
  return `{ ${fields.join(', ')} }`;
};
