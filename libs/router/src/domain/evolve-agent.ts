import type { AgentEvent } from '@athena/contracts';
import { keyOf, type Agent } from './agent.js';
import type { RouterState, Standing } from './router-state.js';

/** Folds one event of the agent registry. */
export function evolveAgent(state: RouterState, event: AgentEvent, standing: Standing): void {
  const { fleet } = state;
  const { project, id } = event;
  switch (event.type) {
    case 'AgentBound':
      state.credentials.set(keyOf(project, id), event.data.credential);
      return;
    case 'AgentRegistered': {
      const agent = fleet.ensure(project, id);
      endSession(state, agent, agent.session, false, standing);
      fleet.register(agent, event.data);
      state.tasks.endAvoidance(agent);
      return;
    }
    case 'AgentReturned':
      fleet.open(fleet.ensure(project, id), event.data.session);
      return;
    case 'AgentSessionEnded': {
      const { session, reason } = event.data;
      const vanished = reason === 'silent' || reason === 'disconnected';
      endSession(state, fleet.ensure(project, id), session, vanished, standing);
      return;
    }
    case 'AgentDraining':
      fleet.drain(fleet.ensure(project, id));
      return;
    case 'AgentResumed':
      fleet.resume(fleet.ensure(project, id));
      return;
    case 'AgentDeregistered': {
      const agent = fleet.ensure(project, id);
      endSession(state, agent, event.data.session, false, standing);
      fleet.deregister(agent);
      return;
    }
    case 'CapabilityLearned':
      fleet.learn(fleet.ensure(project, id), event.data.capability);
      return;
    case 'PerformanceReported': {
      const { kind, success, durationMs } = event.data;
      if (success) fleet.countSuccess(project, kind, durationMs);
      else fleet.countFailure(project, kind);
      return;
    }
    default:
      // Events of kinds that a later version adds.
      event satisfies never;
  }
}

/** Tells of each session's end once, whether its own event or a successor's tells it first. */
function endSession(
  state: RouterState,
  agent: Agent,
  session: number,
  exclude: boolean,
  { seq, index }: Standing,
): void {
  if (session <= agent.ended.session) return;
  const source = `${seq}.${index}`;
  state.fleet.end(agent, { session, exclude, source });
  state.tell({ kind: 'session-ended', agent, session, exclude, source });
  state.tell({ kind: 'incarnation-ended', agent });
}
