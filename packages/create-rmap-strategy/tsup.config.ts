import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({ ...preset, entry: { index: 'src/index.ts', main: 'src/main.ts' } });
