import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({ ...preset, entry: ['src/main.ts'] });
