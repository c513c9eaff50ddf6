import { cancel, intro, isCancel, select, text } from '@clack/prompts';
import { CannotCreate } from './errors.js';
import { checkName } from './names.js';
import { TEMPLATES, type Template } from './template.js';

/** The user ended the questions. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** Asks for the package's name, which is also its folder's. @throws Cancelled */
export async function askName(): Promise<string> {
  intro('A strategy package for rmap-lab');
  return answered(await text({ message: 'What is the package called?', placeholder: 'my-design', validate: complaint }));
}

/** Asks what to start from. @throws Cancelled */
export async function askTemplate(): Promise<Template> {
  const options = (Object.keys(TEMPLATES) as Template[]).map((value) => ({ value, label: value, hint: TEMPLATES[value] }));
  return answered(await select({ message: 'What should it start from?', options, initialValue: 'skeleton' }));
}

/** Asks what the design is about. @throws Cancelled */
export async function askDescription(usual: string): Promise<string> {
  return answered(await text({ message: 'What is the design, in a sentence?', placeholder: usual, defaultValue: usual }));
}

function complaint(name: string | undefined): string | undefined {
  try {
    checkName(name ?? '');
    return undefined;
  } catch (error) {
    if (error instanceof CannotCreate) return error.message;
    throw error;
  }
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (!isCancel(answer)) return answer as Exclude<T, symbol>;
  cancel('Nothing was written.');
  throw new Cancelled();
}
