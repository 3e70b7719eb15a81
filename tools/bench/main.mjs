// `npm run bench -- [scenario …] [--json FILE] [--seconds N]`: measures a stack of its own, in a
// temporary folder, from processes of their own. Run it on an idle machine and compare ratios.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { latency } from './latency.mjs';
import { lifecycle } from './lifecycle.mjs';
import { mcpTokens } from './mcp-tokens.mjs';
import { withStack } from './stack.mjs';

const scenarios = { lifecycle, latency, 'mcp-tokens': mcpTokens };

const usage = `Usage: npm run bench -- [scenario …] [options]

Scenarios: ${Object.keys(scenarios).join(', ')} (default: all)
  lifecycle   create → claim → complete with 50 agents and 1,000 tasks in flight
  latency     create, and create → claimed, one at a time on an idle stack
  mcp-tokens  what answers over MCP cost a model, in characters ÷ 4

  --seconds N   how long each scenario measures (default 10)
  --separate    every service in processes of its own, with standbys
  --json FILE   also write the rows to a file
  --help        show this text`;

function parsed() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        seconds: { type: 'string', default: '10' },
        separate: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    console.error(`bench: ${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

const { values, positionals } = parsed();
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const unknown = positionals.find((name) => !scenarios[name]);
const seconds = Number(values.seconds);
if (unknown !== undefined || !(seconds > 0)) {
  console.error(
    `bench: ${unknown ? `unknown scenario ${unknown}` : '--seconds needs a number'}\n\n${usage}`,
  );
  process.exit(2);
}

const rows = await withStack(async (stack) => {
  const all = [];
  for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
    console.error(`bench: ${name} …`);
    all.push(...(await scenarios[name](stack, { seconds })));
  }
  return all;
}, values);
if (values.separate) for (const row of rows) row.settings = { ...row.settings, separate: true };
console.table(rows.map(({ settings, ...row }) => ({ ...row, settings: JSON.stringify(settings) })));
if (values.json) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
