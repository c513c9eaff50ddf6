/** What a new package starts from. */
export const TEMPLATES = {
  skeleton: 'every hook, little in them: it builds, and the suite shows what to fill in',
  'scan-all': 'looks everywhere: right, and too slow for the level `scale`',
} as const;

/** Name of a template. */
export type Template = keyof typeof TEMPLATES;

/** Whether there is a template of this name. */
export const isTemplate = (name: string): name is Template => Object.hasOwn(TEMPLATES, name);
