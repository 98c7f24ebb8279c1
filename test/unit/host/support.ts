import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import type { ActorKey, AnyActor } from "../../../src/actor.ts";
import type { CallTarget } from "../../../src/actor_client.ts";
import { ActrError } from "../../../src/errors.ts";
import { ActorHost } from "../../../src/host/actor_host.ts";
import { asPromise } from "../../../src/host/turns/command.ts";
import type { Logger } from "../../../src/ports/logger.ts";
import type { SqlDatabases } from "../../../src/ports/sql_databases.ts";
import type { Store } from "../../../src/ports/store.ts";

/** One line of the log. */
export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A logger that keeps what it is told. */
export function recorder(lines: LogLine[], own: Readonly<Record<string, unknown>> = {}): Logger {
  const write =
    (level: string) =>
    (event: string, attributes: Readonly<Record<string, unknown>> = {}): void =>
      void lines.push({ level, event, attributes: { ...own, ...attributes } });
  return {
    enabled: () => true,
    trace: write("trace"),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (more) => recorder(lines, { ...own, ...more }),
  };
}

/** What a rig begins with. */
export interface RigOptions {
  readonly store?: Store;
  readonly clock?: FakeClock;
  readonly maxAwake?: number;
  readonly maxDatabases?: number;
  readonly databases?: SqlDatabases;
  /** Of what is random; processes that follow each other on one store differ in it. @default 1 */
  readonly seed?: number;
}

/** Actors of one host, over a store of memory and time that the test advances. */
export class Rig {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly lines: LogLine[] = [];
  readonly host: ActorHost;

  constructor(
    actors: Readonly<Record<string, AnyActor>>,
    {
      store = new MemoryStore(),
      clock = new FakeClock(),
      maxAwake = 1000,
      maxDatabases = 10,
      databases,
      seed = 1,
    }: RigOptions = {},
  ) {
    this.clock = clock;
    this.store = store;
    const node = (): never => {
      throw new TypeError("this host has no node");
    };
    const log = recorder(this.lines);
    const random = new SeededRandom(seed);
    this.host = new ActorHost(
      actors,
      { clock, random, log, store, node, databases },
      { leaseMs: 15_000, maxAwake, maxDatabases },
    );
    this.host.start();
  }

  /** Runs an action of the actor of this name and key, which is made when there is none. */
  async act(
    name: string,
    key: string | CallTarget,
    action: string,
    ...args: unknown[]
  ): Promise<unknown> {
    const target =
      typeof key === "string" ? { name, key: [key], create: { input: undefined } } : key;
    const answer = asPromise((to) => this.host.act(target, { name: action, args, answer: to }));
    return await answer;
  }

  /** The instance of an actor that is awake. */
  async instance(name: string, key: string): Promise<Awaited<ReturnType<ActorHost["wake"]>>> {
    return await this.host.wake({ name, key: [key] satisfies ActorKey });
  }

  /** Events of the log with this name. */
  logged(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Puts everything to sleep; on the same store another rig goes on. */
  async close(): Promise<void> {
    await this.host.close(new ActrError("stopping", "the test ends"));
  }
}

/** What a promise was rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<ActrError> {
  try {
    await work;
  } catch (error) {
    return ActrError.from(error);
  }
  throw new TypeError("it did not fail");
}
