import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

// Loading by name is for node alone. The tree is an entry of its own for the benchmarks; what is published has no way in.
export default defineConfig({
  ...preset,
  entry: { index: 'src/index.ts', 'load-strategy': 'src/load-strategy.ts', 'vma-tree': 'src/vma/vma-tree.ts' },
});
