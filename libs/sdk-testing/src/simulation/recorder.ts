import type { MsgHdrs } from '@nats-io/transport-node';
import type { Sent } from '../bus/memory-bus.js';

/** What an agent or an application asked for, and what it was told. */
export interface Asked {
  readonly op: string;
  readonly project: string;
  /** The agent's id, or that of the application. */
  readonly by: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The log's end when it was asked first. */
  readonly from: number;
  readonly answers: Answered[];
}

export interface Answered {
  readonly ok?: Readonly<Record<string, unknown>>;
  /** Code of the refusal. */
  readonly refused?: string;
  /** The log's end when it was said. */
  readonly to: number;
}

interface Request {
  readonly batch: boolean;
  readonly asked: readonly Asked[];
}

type Fields = Readonly<Record<string, unknown>>;

const APPLICATIONS = 'athena.api.v1.';
const AGENTS = 'athena.v1.';
const ERROR = 'Nats-Service-Error';

/** Listens at the doors of the platform: what is asked from outside, with the answers. */
export class Recorder {
  readonly asked: Asked[] = [];
  readonly #requests = new Map<string, Request>();
  readonly #logEnd: () => number;

  constructor(logEnd: () => number) {
    this.#logEnd = logEnd;
  }

  hear(sent: Sent): void {
    const { subject, reply, data, headers } = sent;
    const request = this.#requests.get(subject);
    if (request) this.#answered(request, parse(data), headers);
    else if (reply && !this.#requests.has(reply)) this.#requested(sent, reply);
  }

  #requested({ subject, data, from }: Sent, reply: string): void {
    const tokens = subject.split('.');
    const application = subject.startsWith(APPLICATIONS);
    if (!application && !subject.startsWith(AGENTS)) return;
    const [project = '', op] = application
      ? [tokens[3], tokens.slice(4).join('.')]
      : [tokens[2], `agent.${tokens[4]}`];
    const body = parse(data);
    const items = Array.isArray(body['items']) ? (body['items'] as Fields[]) : null;
    const by = from.user.split('.').at(-1) as string;
    const asked = (items ?? [body]).map((input): Asked => ({
      op: op,
      project,
      by,
      input,
      from: this.#logEnd(),
      answers: [],
    }));
    this.asked.push(...asked);
    this.#requests.set(reply, { batch: items !== null, asked });
  }

  #answered({ batch, asked }: Request, body: Fields, headers: MsgHdrs | undefined): void {
    const to = this.#logEnd();
    const failed = headers?.has(ERROR);
    asked.forEach(({ answers }, index) => {
      const one = batch && !failed ? (body['items'] as Fields[])[index] : body;
      const refusal = failed ? body : (one?.['refusal'] as Fields | undefined);
      if (refusal) answers.push({ refused: String(refusal['code']), to });
      else if (one) answers.push({ ok: one, to });
    });
  }
}

function parse(data: Uint8Array): Fields {
  const text = Buffer.from(data).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Fields);
}
