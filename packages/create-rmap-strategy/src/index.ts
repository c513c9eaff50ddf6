export { CannotCreate } from './errors.js';
export { createProject, type Project } from './project.js';
export { TEMPLATES, type Template } from './template.js';
