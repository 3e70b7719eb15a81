// A project's package.json names exactly the workspace projects that its code imports: nx draws
// its graph from them, and knows what a change affects.
import { readFileSync } from 'node:fs';

const imports = /(?:from|import)\s*\(?\s*'(@athena\/[a-z-]+)/g;
const project = /^((?:libs|apps|examples)\/[^/]+)\/src\/(?!.*\.(?:spec|scenario)\.ts$).*\.ts$/;

/** What the package.json files say too much or too little, one sentence each. */
export function undeclared(files) {
  const used = new Map();
  for (const path of files) {
    const [, folder] = project.exec(path) ?? [];
    if (!folder) continue;
    const names = used.get(folder) ?? used.set(folder, new Set()).get(folder);
    for (const [, name] of readFileSync(path, 'utf8').matchAll(imports)) names.add(name);
  }
  return [...used].flatMap(([folder, names]) => {
    const { name, dependencies = {} } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const declared = Object.keys(dependencies).filter((one) => one.startsWith('@athena/'));
    const missing = [...names].filter((one) => one !== name && !declared.includes(one));
    const idle = declared.filter((one) => !names.has(one));
    return [
      ...missing.map((one) => `${folder}/package.json: name ${one} among the dependencies`),
      ...idle.map((one) => `${folder}/package.json: ${one} is not used`),
    ];
  });
}
