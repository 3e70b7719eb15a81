/**
 * What a tool's answer costs a model. The rule: characters of the answer's JSON text ÷ 4, rounded
 * up. It is a rule of thumb for English; real tokenizers need more than that for UUIDs. Only
 * what the tool says is counted, not the protocol's frame, which hosts keep from the model.
 */
const CHARACTERS_PER_TOKEN = 4;
const tokensIn = (text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

const TASKS = 10;
const TYPE = 'mcp-tokens';
const POLL_PAUSE_MS = 50;
const POLLS_MAX = 200;

/** A create, a route, polls of ten and a whole lifecycle, as a model would call them. */
export async function mcpTokens(stack) {
  const session = mcpSession(stack);
  const agents = ['tokens-1', 'tokens-2'];
  for (const agent_id of agents) {
    await session.call('register_agent', { agent_id, capabilities: [TYPE], max_concurrent: TASKS });
  }
  const task = { content: 'Summarise it', task_type: TYPE };
  const manual = { ...task, auto_route: false };
  const rows = [row('create_task', await session.call('create_task', manual))];

  const advised = await until(
    () => session.call('route_task', { task: { requirements: [TYPE] } }),
    ({ candidates }) => candidates.length === agents.length,
  );
  rows.push(row('route_task, two candidates', advised));

  await session.call('create_tasks', { tasks: Array(TASKS).fill(manual) });
  const full = ({ tasks }) => tasks.length === TASKS;
  const pending = await until(() => session.call('poll_tasks', {}), full);
  rows.push(row('poll_tasks, ten pending', pending));
  const ids = await session.call('poll_tasks', { fields: ['task_id'] });
  rows.push(row('poll_tasks, ten pending, task_id only', ids));

  rows.push(row('poll_tasks, an agent’s ten', await polledByAgent(session, agents[0], task)));
  rows.push(row('tools/list, all tools', await session.list()));
  return rows;
}

/** Ten tasks are in the agent's hands: without starting them a repeat of the poll tells all. */
async function polledByAgent(session, agent_id, task) {
  const { task_ids } = await session.call('create_tasks', {
    tasks: Array(TASKS).fill({ ...task, auto_route: false }),
  });
  for (const task_id of task_ids) await session.call('assign_task', { task_id, agent_id });
  return session.call('poll_tasks', { agent_id });
}

async function until(ask, reached) {
  for (let tried = 0; tried < POLLS_MAX; tried++) {
    const answer = await ask();
    if (reached(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_PAUSE_MS));
  }
  throw new Error('mcp-tokens: the stack did not get there');
}

function row(what, answer) {
  const text = JSON.stringify(answer);
  const settings = { what, rule: `characters ÷ ${CHARACTERS_PER_TOKEN}` };
  const counted = { tokens: tokensIn(text), characters: text.length };
  return { scenario: 'mcp-tokens', system: 'athena', settings, ...counted };
}

/** Plain JSON-RPC, as any host sends it. */
function mcpSession({ gatewayUrl, apiKey }) {
  const send = async (method, params) => {
    const answer = await fetch(`${gatewayUrl}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const text = await answer.text();
    const [, data] = /^data: (.*)$/m.exec(text) ?? [null, text];
    const { result, error } = JSON.parse(data);
    if (error) throw new Error(`mcp-tokens: ${method}: ${error.message}`);
    return result;
  };
  return {
    list: async () => (await send('tools/list', {})).tools,
    call: async (tool, args) => {
      const result = await send('tools/call', { name: `orchestration_${tool}`, arguments: args });
      const told = result.content[0].text;
      if (result.isError) throw new Error(`mcp-tokens: ${tool}: ${told}`);
      return JSON.parse(told);
    },
  };
}
