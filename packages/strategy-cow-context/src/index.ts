export { type Choices, POC, type Preset, REFERENCE } from './choices.js';
export { cowContext, presets } from './strategy.js';
