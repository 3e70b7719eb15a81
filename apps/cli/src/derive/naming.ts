/** `createBatch` → `create-batch` */
export const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `task.createBatch` → `['task', 'create-batch']` */
export const pathOf = (operationName: string): string[] => operationName.split('.').map(kebab);
