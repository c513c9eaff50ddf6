import validate from 'validate-npm-package-name';
import { CannotCreate } from './errors.js';
import { isNeeded } from './manifest.js';

/** Names that the template's own code uses, and words that JavaScript keeps for itself. */
const TAKEN = new Set(
  (
    'at conformance defineStrategy kernel parent arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

/** By these `rmap-lab` means designs that come along, so a package of such a name could not be reached by it. */
const DESIGNS = ['anon-vma', 'anon-vma-lazy', 'cow-context'];

/** @throws CannotCreate when npm or rmap-lab would not take the name, or nothing in it can name a function */
export function checkName(name: string): void {
  const { errors = [], warnings = [] } = validate(name);
  const complaints = [...errors, ...warnings];
  if (complaints.length === 0 && !/[a-z0-9]/i.test(shortName(name))) complaints.push('it has no letter and no digit');
  if (DESIGNS.includes(name)) complaints.push('rmap-lab means a design by it that comes along');
  if (isNeeded(name)) complaints.push('it is that of a package that it would need');
  if (complaints.length === 0) return;
  throw new CannotCreate(
    `'${name}' can't be the name of a package: ${complaints.join('; ')}. Choose one like my-design or @team/my-design`,
  );
}

/** The name without its scope: what the strategy and its folder are called. */
export const shortName = (name: string): string => name.replace(/^@[^/]*\//, '');

/** The function that makes the strategy: `myDesign` for my-design. */
export function functionName(name: string): string {
  const [first, ...rest] = shortName(name)
    .split(/[^a-z0-9]+/i)
    .filter((word) => word !== '');
  const camel = [first, ...rest.map((word) => word[0].toUpperCase() + word.slice(1))].join('');
  if (/^\d/.test(camel)) return `design${camel}`;
  return TAKEN.has(camel) ? `${camel}Design` : camel;
}
