// House rules that a machine can check. A rule gets a file's path and text and returns sentences.
const LINES_MAX = 400;
const COLUMNS_MAX = 100;
const bannedNames = /(Manager|Helper|Util|Utils|Common|Impl)\b/;
const bannedFolders = /\/(common|utils|helpers|shared)\//;

/** Files that are longer than one room allows; the list may only shrink. */
const longFiles = new Set([]);

const isCode = (path) => /\.(ts|mjs|js)$/.test(path);
const isSpec = (path) => /\.spec\.(ts|mjs)$/.test(path);

function size(path, text) {
  const lines = text.split('\n').length - 1;
  if (lines <= LINES_MAX || isSpec(path) || longFiles.has(path)) return [];
  return [`${path}: ${lines} lines, the limit is ${LINES_MAX}`];
}

function columns(path, text) {
  return text.split('\n').flatMap((line, index) => {
    const longString = /['"`].{60,}['"`]|https?:/.test(line);
    if (line.length <= COLUMNS_MAX || longString || isSpec(path)) return [];
    return [`${path}:${index + 1}: ${line.length} columns, the limit is ${COLUMNS_MAX}`];
  });
}

function names(path, text) {
  const declared = text.matchAll(/^export (?:const|function|class|interface|type) (\w+)/gm);
  const bad = [...declared].map(([, name]) => name).filter((name) => bannedNames.test(name));
  const folder = bannedFolders.test(path)
    ? [`${path}: no ${bannedFolders.exec(path)[1]} folders`]
    : [];
  return [...bad.map((name) => `${path}: the name ${name} says nothing`), ...folder];
}

function barrels(path, text) {
  if (!/^libs\//.test(path)) return [];
  const inner = /^libs\/[^/]+\/src\/.+\/index\.ts$/.test(path) ? [`${path}: no inner barrels`] : [];
  const star = /^export \* from/m.test(text) ? [`${path}: export names, not *`] : [];
  return [...inner, ...star];
}

const leftovers =
  /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-nocheck|\b(it|test|describe)\.(only|skip)\(/;

function unfinished(path, text) {
  if (path.startsWith('tools/tidy/')) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      leftovers.test(line) ? [`${path}:${index + 1}: unfinished: ${line.trim()}`] : [],
    );
}

/** Domains are pure: time, randomness and I/O come in as values. */
function purity(path, text) {
  if (!/^libs\/[^/]+\/src\/domain\//.test(path) || isSpec(path)) return [];
  const impure = /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|process\.)/;
  return text
    .split('\n')
    .flatMap((line, index) =>
      impure.test(line) ? [`${path}:${index + 1}: a domain is pure: ${line.trim()}`] : [],
    );
}

/** One place reads the environment of services; programs that people start read their own. */
const environmentReaders = new Set(['libs/service-kit/src/config.ts', 'apps/cli/src/world.ts']);

function environment(path, text) {
  if (!/^(libs|apps)\//.test(path) || isSpec(path) || /^libs\/testing/.test(path)) return [];
  if (environmentReaders.has(path)) return [];
  return /\bprocess\.env\b/.test(text) ? [`${path}: read the environment in service-kit`] : [];
}

const rules = [size, columns, names, barrels, unfinished, purity, environment];

export const untidiness = (path, text) =>
  isCode(path) ? rules.flatMap((rule) => rule(path, text)) : [];
