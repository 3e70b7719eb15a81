import { Heap, type Slotted } from './heap.js';
import type { Group } from './group.js';

/** What those who take turns with each other share. */
export class Turns {
  /** Virtual time. */
  clock = 0;
  /** How many take turns. */
  peers = 0;
  serial = 0;
}

/**
 * One that takes turns with its peers: a project, or the tasks of one fairness key in it. Whose
 * next task is through first, in virtual time, comes next: self-clocked fair queueing (Golestani,
 * INFOCOM 1994, kin of start-time fair queueing, Goyal 1996), with a task as the unit of work. The
 * virtual time is that of the task taken last, so that no stream of newcomers starves anybody.
 */
export class Turn {
  /** Settles ties. */
  readonly serial: number;
  /** Kept also while nobody waits: it would be made anew with the next task. */
  readonly lasting: boolean;
  /** Virtual time at which its next task is through. */
  tag: number;
  /** Groups of waiting tasks that are its own. */
  groups = 0;
  /** Where some of them stand in line. */
  readonly lines = new Set<Line>();
  readonly #among: Turns;
  #step = 1;

  constructor(among: Turns, lasting: boolean) {
    this.#among = among;
    this.serial = among.serial++;
    this.lasting = lasting;
    this.tag = among.clock + this.#step;
    among.peers++;
  }

  /** Of so many times as many tasks as those of weight 1, from its next one on. */
  set weight(weight: number) {
    this.#step = 1 / weight;
  }

  /** One of its tasks was taken. */
  taken(): void {
    const among = this.#among;
    among.clock = Math.max(among.clock, this.tag);
    this.tag = among.clock + this.#step;
    // Whoever is alone is before and behind nobody.
    if (among.peers > 1) for (const line of this.lines) line.moved();
  }

  end(): void {
    this.#among.peers--;
  }
}

/** A project's turn, with those of its fairness keys. */
export class ProjectTurn extends Turn {
  readonly #turns = new Turns();
  readonly #keys = new Map<string, Turn>();

  /** How many keys take turns; having none counts as one. */
  get keys(): number {
    return this.#turns.peers;
  }

  /** Of the tasks with this key; null: without one. */
  of(fairnessKey: string | null): Turn {
    const key = fairnessKey ?? NO_KEY;
    const known = this.#keys.get(key);
    if (known) return known;
    const turn = new Turn(this.#turns, fairnessKey === null);
    this.#keys.set(key, turn);
    return turn;
  }

  /** Nobody waits under the key: coming back is like coming anew. */
  forget(fairnessKey: string | null): void {
    if (fairnessKey === null) return;
    this.#keys.get(fairnessKey)?.end();
    this.#keys.delete(fairnessKey);
  }
}

/** No label is empty. */
const NO_KEY = '';

interface InLine extends Slotted {
  readonly head: Group | undefined;
}

/**
 * Projects in turn; inside each strictly by class, of a class fairness keys in turn; inside each
 * the oldest.
 */
export function goesFirst(a: Group, b: Group): boolean {
  const [one, other] = [a.project, b.project];
  if (one !== other) {
    return one.tag === other.tag ? one.serial < other.serial : one.tag < other.tag;
  }
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.turn.tag === b.turn.tag ? a.born < b.born : a.turn.tag < b.turn.tag;
}

/**
 * Groups in the order in which their first tasks go: a line of groups, or of such lines. Those of a
 * partition are by project, in it by requirement set, in it by fairness key, so that nothing but
 * one item of each moves when a task was taken, or when nobody can take those of one set.
 */
export class Line implements InLine {
  slot = -1;
  readonly #above: Line | null;
  /** Whose groups stand in it, if it is somebody's. */
  readonly #turn: Turn | null;
  readonly #items = new Heap<InLine>((a, b) => goesFirst(a.head as Group, b.head as Group));
  readonly #inside = new Map<Turn, Line>();
  #aside = false;

  constructor(above: Line | null = null, turn: Turn | null = null) {
    this.#above = above;
    this.#turn = turn;
  }

  get head(): Group | undefined {
    return this.#items.first?.head;
  }

  /** The line in it of those whose turn this is. */
  of(turn: Turn): Line {
    const known = this.#inside.get(turn);
    if (known) return known;
    const line = new Line(this, turn);
    this.#inside.set(turn, line);
    return line;
  }

  /** It stands in line from now on, or its order has changed. */
  put(item: InLine): void {
    if (item.slot >= 0) {
      this.#items.moved(item);
    } else {
      if (this.#items.size === 0) this.#turn?.lines.add(this);
      this.#items.add(item);
    }
    this.moved();
  }

  drop(item: InLine): void {
    this.#items.remove(item);
    if (this.#items.size > 0) return this.moved();
    this.#above?.drop(this);
    if (this.#turn) this.#above?.left(this.#turn, this);
  }

  /** Its order among its peers has changed. */
  moved(): void {
    if (!this.#aside && this.#items.size > 0) this.#above?.put(this);
  }

  /** All of it is passed over, until it is `resumed`. */
  setAside(): void {
    this.#aside = true;
    if (this.slot >= 0) this.#above?.drop(this);
  }

  resume(): void {
    this.#aside = false;
    this.moved();
  }

  /** Nobody whose turn it is stands in it any more. */
  left(turn: Turn, line: Line): void {
    turn.lines.delete(line);
    if (!turn.lasting) this.#inside.delete(turn);
  }
}
