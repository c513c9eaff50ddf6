export { type LazyOptions, PRESETS, type Preset } from './options.js';
export { anonVmaLazy, presets } from './strategy.js';
