import { preset } from '@rmap-lab/config/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig(preset('experiments', { isolate: false }));
