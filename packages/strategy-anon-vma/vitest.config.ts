import { preset } from '@rmap-lab/config/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig(preset('strategy-anon-vma', { isolate: false }));
