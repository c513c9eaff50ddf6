export { type CampaignOptions, type CampaignReport, campaign } from './campaign.js';
export { CannotObserve, compile, obstacle, type Programs } from './compile.js';
export { compileProgram } from './compile-program.js';
export { Driver } from './driver.js';
export { type Difference, Judge, type Verdict } from './judge.js';
export { type KernelInfo, kernelInfo, runningLayout, type StructInfo } from './kernel-info.js';
export { COLUMNS } from './records.js';
export { sideBySide } from './side-by-side.js';
