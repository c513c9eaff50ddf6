import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../src/load-strategy.js';

const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-digest-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(scratch, name), text);
  return pathToFileURL(join(scratch, name)).href;
};

describe('the digest of a module', () => {
  const module = file('strategy.mjs', "import { one } from './one.mjs';\nexport default one;\nawait import('./later.mjs');\n");
  file('one.mjs', "export * from './two.mjs';\n");
  file('two.mjs', "export { one } from './one.mjs';\nimport 'a-package';\n");
  file('later.mjs', '');

  // A sweep took results for those of an edited design, where what was edited was imported.
  it.each(['one.mjs', 'two.mjs', 'later.mjs'])('is another one when %s, which it imports, is edited, by whatever way', (name) => {
    const before = digestOf([module]);
    file(name, "import './two.mjs';\n");
    expect(digestOf([module])).not.toBe(before);
    file('other.mjs', `${Math.PI}`);
    expect(digestOf([module])).toBe(digestOf([module]));
  });

  it('says the same of the same text elsewhere', () => {
    const [here, there] = ['here.mjs', 'there.mjs'].map((name) => file(name, "import './later.mjs';\n"));
    expect(digestOf([here])).toBe(digestOf([there]));
    expect(digestOf([here])).toMatch(/^[0-9a-f]{16}$/);
  });

  it('takes what is no module, or not there, as it is', () => {
    const broken = file('broken.mjs', 'import {{{');
    const common = file('common.cjs', "module.exports = require('./one.mjs');\n");
    const missing = file('missing.mjs', "import './nowhere.mjs';\n");
    const digests = [[broken], [common], [missing], ['a-package'], ['another'], [], [broken, common], [common, broken]].map(
      digestOf,
    );
    expect(new Set(digests).size).toBe(digests.length);
  });
});
