import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

// `parts` is for designs that build on this one. The tree is an entry of its own for the benchmarks; what is published has no way in.
export default defineConfig({ ...preset, entry: ['src/index.ts', 'src/parts.ts', 'src/interval-tree.ts'] });
