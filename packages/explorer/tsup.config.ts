import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({ ...preset, entry: { index: 'src/index.ts', 'run-part': 'src/parallel/run-part.ts' } });
