/**
 * How to call npm: the same one that called us, if one did.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ command: string, args: string[], env: NodeJS.ProcessEnv }}
 */
export function npmCommand(env = process.env) {
  const script = env['npm_execpath'];
  const clean = withoutPlace(env);
  if (script !== undefined && /\.c?js$/.test(script)) {
    return { command: process.execPath, args: [script], env: clean };
  }
  return { command: 'npm', args: [], env: clean };
}

/**
 * `npm start` tells its children which folder it was called in; a second npm would go there too.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv} Without the place, with all settings (registry, proxy, cache).
 */
function withoutPlace(env) {
  const place = /^(INIT_CWD|npm_config_(local_prefix|prefix|workspaces?|include_workspace_root))$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !place.test(name)));
}
