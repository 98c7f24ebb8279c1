import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { type EchoRequest, EchoService } from "../../../examples/echo/echo_pb.ts";
import type { Context, NodeContext } from "../../../src/context.ts";
import { type AclRule, type ConflictKey, defineNode, service } from "../../../src/define.ts";
import type { ErrorEvent, Hooks } from "../../../src/hooks.ts";
import type { Mailbox } from "../../../src/inbound/mailbox.ts";
import type { InboundMessage } from "../../../src/inbound/message.ts";
import { HookQueue } from "../../../src/node/hooks.ts";
import { Inbound } from "../../../src/node/inbound.ts";
import type { NodeComponents } from "../../../src/node/node_components.ts";
import { planNode } from "../../../src/node/plan.ts";
import type { NodeOptionsInput } from "../../../src/options.ts";
import { type LogLevel, logLevels } from "../../../src/ports/logger.ts";
import type { Store, StoreChange } from "../../../src/ports/store.ts";
import { chainMetadata } from "../../../src/protocol/call_chain.ts";
import { durableMetadata } from "../../../src/protocol/durable.ts";
import {
  type Direction,
  decodeEnvelope,
  directions,
  encodeEnvelope,
  type RpcEnvelope,
} from "../../../src/protocol/envelope.ts";
import { type Lane, lanes } from "../../../src/protocol/frame.ts";
import { methodCodecs } from "../../../src/protocol/service.ts";
import type { Reply } from "../../../src/reply.ts";
import { Peer } from "../../../src/session/peer.ts";
import { PendingCalls } from "../../../src/session/pending_calls.ts";
import { FakeLink, peerId, type Sessions, sessions } from "../session/support.ts";

const codec = methodCodecs(EchoService)[0] as ReturnType<typeof methodCodecs>[number];

/** The one route that is served. */
export const route = codec.routeKey;

/** This node. */
export const selfId = peerId(1);

/** What a handler does with a request's text. */
export type Handle = (text: string, context: Context) => string | Promise<string>;

export interface RigOptions {
  readonly handle?: Handle;
  /** Takes the reply instead of returning a text. */
  readonly explicit?: (text: string, context: Context, reply: Reply<{ reply: string }>) => void;
  readonly durable?: boolean;
  /** By what calls wait for each other. @default nothing: each runs alone */
  readonly conflictKey?: ConflictKey<EchoRequest>;
  readonly acl?: readonly AclRule[];
  readonly options?: NodeOptionsInput;
  readonly store?: Store;
  readonly hooks?: Hooks;
  /** Least level that is written; all is kept, whatever is written. @default "trace" */
  readonly logLevel?: LogLevel;
  /** Whether handlers may begin. @default true */
  readonly open?: boolean;
}

/** The inbound side of a node: the peers, played by the test, send frames and read answers. */
export interface Rig extends Sessions {
  readonly inbound: Inbound;
  readonly store: Store;
  readonly pending: PendingCalls;
  readonly errors: ErrorEvent[];
  /** The texts that the handler got, in order. */
  readonly handled: string[];
}

export async function rig(setup: RigOptions = {}): Promise<Rig> {
  const base = sessions();
  const { clock, manager } = base;
  const store = setup.store ?? new MemoryStore();
  const handled: string[] = [];
  const errors: ErrorEvent[] = [];
  const handle = setup.handle ?? ((text) => `Echo: ${text}`);
  const { explicit: take, conflictKey } = setup;
  const returning = ({ message }: EchoRequest, context: Context) => {
    handled.push(message);
    const reply = handle(message, context);
    return typeof reply === "string" ? { reply } : reply.then((text) => ({ reply: text }));
  };
  const explicit =
    take &&
    (({ message }: EchoRequest, context: Context, reply: Reply<{ reply: string }>) => {
      handled.push(message);
      return take(message, context, reply);
    });
  const echo = service(EchoService, {
    handlers: {
      echo: explicit === undefined ? returning : { explicit },
    },
    methods: { echo: { durable: setup.durable === true, ...(conflictKey && { conflictKey }) } },
  });
  const definition = defineNode({
    services: [echo],
    ...(setup.acl === undefined ? {} : { acl: setup.acl }),
    ...(setup.options === undefined ? {} : { options: setup.options }),
  });
  const log = recorder(base, setup.logLevel ?? "trace");
  const context = { selfId, signal: new AbortController().signal, log } as NodeContext;
  const plan = planNode(definition, { realm: 1001, aisUrl: "", signalingUrl: "" });
  const observers = [
    { onError: (_context: NodeContext, event: ErrorEvent) => void errors.push(event) },
    setup.hooks ?? {},
  ];
  const hooks = new HookQueue(
    { observers, clock, log, context: () => context },
    plan.options.lifecycle,
  );
  const pending = new PendingCalls(100);
  const components = { clock, random: new SeededRandom(), log, store } as unknown as NodeComponents;
  const inbound = new Inbound({
    plan,
    components,
    context,
    hooks,
    pending,
    sessions: manager,
    localActors: () => {
      throw new TypeError("this node has no actors");
    },
  });
  const world = Object.assign(base, { inbound, store, pending, errors, handled });
  world.onFrame = (frame, peer, link) => inbound.gate.receive(frame, peer, link);
  await inbound.recover();
  if (setup.open !== false) inbound.open();
  return world;
}

function recorder({ records }: Sessions, least: LogLevel): NodeContext["log"] {
  const keep =
    (level: string) =>
    (event: string, attributes = {}) =>
      void records.push({ level: level as "info", event, attributes });
  const log: NodeContext["log"] = {
    enabled: (level) => logLevels.indexOf(level) >= logLevels.indexOf(least),
    trace: keep("trace"),
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
    with: () => log,
  };
  return log;
}

/** How one message is sent. */
export interface Sending {
  readonly requestId?: string;
  readonly direction?: Direction;
  readonly lane?: Lane;
  readonly timeoutMs?: number;
  readonly durableSend?: boolean;
  /** Names of the handlers that wait for it. */
  readonly chain?: readonly string[];
  readonly routeKey?: string;
  readonly payload?: Uint8Array;
  readonly traceparent?: string;
}

let requests = 0;

/** A peer of the rig with one link. */
export class RemotePeer {
  readonly link: FakeLink;
  readonly peer: Peer;
  readonly #rig: Rig;

  constructor(world: Rig, serial = 2, link = new FakeLink(peerId(serial), "inbound")) {
    this.#rig = world;
    this.peer = new Peer(peerId(serial));
    this.link = link;
    world.manager.accept(this.link);
  }

  /** Sends a request and lets everything that it causes happen; returns its id. */
  async send(text: string, sending: Sending = {}): Promise<string> {
    const requestId = this.post(text, sending);
    await this.#rig.clock.settle();
    return requestId;
  }

  /** Sends a request; returns its id. */
  post(text: string, sending: Sending = {}): string {
    const { requestId = `request-${++requests}`, direction = directions.request } = sending;
    const body = encodeEnvelope({
      routeKey: sending.routeKey ?? route,
      payload: sending.payload ?? codec.encodeRequest({ message: text }),
      direction,
      requestId,
      metadata: [
        ...(sending.durableSend === true ? durableMetadata : []),
        ...(sending.chain === undefined ? [] : chainMetadata(sending.chain)),
      ],
      timeoutMs: sending.timeoutMs ?? (direction === directions.tell ? 0 : 30_000),
      traceparent: sending.traceparent,
    });
    this.link.receive({ lane: sending.lane ?? lanes.rpcReliable, body });
    return requestId;
  }

  /** Sends a tell and lets everything that it causes happen; returns its id. */
  tell(text: string, sending: Sending = {}): Promise<string> {
    return this.send(text, { direction: directions.tell, ...sending });
  }

  /** The answers so far. */
  get answers(): RpcEnvelope[] {
    return this.link.sent.map(({ body }) => decodeEnvelope(body));
  }

  /** The answers in words: the reply's text, or the error's number. */
  get heard(): (string | number | undefined)[] {
    return this.answers.map(({ payload, error }) => {
      if (error !== undefined) return error.code;
      if (payload === undefined || payload.length === 0) return "";
      return (codec.decodeResponse(payload) as { reply: string }).reply;
    });
  }
}

/** A memory store whose commits the test holds back or lets fail. */
export class ScriptedStore extends MemoryStore {
  /** What was committed, apart from what the node does by itself to keep its store small. */
  readonly commits: StoreChange[][] = [];
  /** What a commit waits for. */
  hold: Promise<void> | undefined;
  /** Whether a commit fails. */
  refuses: (changes: readonly StoreChange[]) => unknown = () => undefined;

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    if (!changes.every(isHousekeeping)) this.commits.push([...changes]);
    const refusal = this.refuses(changes);
    await this.hold;
    if (refusal !== undefined) throw refusal;
    await super.commit(changes);
  }

  /** The kinds of changes of each commit. */
  get kinds(): string[] {
    return this.commits.map((changes) => changes.map(({ kind }) => kind).join(" "));
  }
}

function isHousekeeping({ kind }: StoreChange): boolean {
  return kind.endsWith(".expire") || kind.endsWith(".keep");
}

/** Queues a durable message; resolves when it is on disk. Throws when the mailbox does not take it. */
export function enqueueDurable(mailbox: Mailbox, message: InboundMessage): Promise<void> {
  let tell: (error: unknown) => void = () => {};
  const written = new Promise<void>((resolve, reject) => {
    tell = (error) => (error === undefined ? resolve() : reject(error));
  });
  mailbox.enqueueDurable(message, (_, error) => tell(error));
  return written;
}

/** A promise with its handle. */
export function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
