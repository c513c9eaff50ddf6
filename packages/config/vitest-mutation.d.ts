import type { ViteUserConfig } from 'vitest/config';

export declare const mutation: (name: string) => ViteUserConfig;
