/** Statements of one function: few enough that it is worth compiling. */
const PIECE = 64;

/** How a key is written behind an object. @param symbols where keys are noted that can't be written */
export function keyed(key: PropertyKey, symbols: symbol[]): string {
  if (typeof key !== 'symbol') return `[${JSON.stringify(key)}]`;
  if (!symbols.includes(key)) symbols.push(key);
  return `[symbols[${symbols.indexOf(key)}]]`;
}

/**
 * Runs statements that are each about one object of its own: every access then knows what it is about, where one in a loop meets
 * objects of all kinds and takes ten times as long. `o` and `x` are theirs to use. @param scope what they name, by name
 */
export function straightLine(statements: readonly string[], scope: Readonly<Record<string, unknown>>): () => void {
  const pieces: (() => void)[] = [];
  for (let from = 0; from < statements.length; from += PIECE) {
    const body = `return () => { let o, x;\n${statements.slice(from, from + PIECE).join('\n')}\n};`;
    const make = new Function(...Object.keys(scope), body) as (...values: readonly unknown[]) => () => void;
    pieces.push(make(...Object.values(scope)));
  }
  return () => {
    for (let i = 0; i < pieces.length; i++) pieces[i]();
  };
}
