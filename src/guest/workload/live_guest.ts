import { abortable } from "#async";
import type { Context, NodeContext } from "../../context.ts";
import type { NodeSpec } from "../../define.ts";
import type { GuestDefinition, GuestIsolation } from "../../guest.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  GuestEntry,
  GuestEnvelope,
  GuestHost,
  GuestLifecycle,
} from "../../ports/guest_host.ts";
import type { Logger } from "../../ports/logger.ts";
import type { DataChunk } from "../../protocol/data_chunk.ts";
import type { Dependency } from "../../protocol/dependencies.ts";
import { sourceSpec } from "../../protocol/fingerprint/source_spec.ts";
import type { ActrId } from "../../protocol/ids.ts";
import { parseLock } from "../../protocol/manifest/lock.ts";
import { withResolvers } from "../../with_resolvers.ts";
import { resolveGuestOptions } from "../life/options.ts";
import type { GuestQuota } from "../life/quota.ts";
import { GuestRunner } from "../life/runner.ts";
import type { GuestStatus } from "../life/status.ts";
import { GuestStreams } from "../operations/guest_streams.ts";
import { HostOperations } from "../operations/host_operations.ts";
import type { GuestScope } from "../operations/scope.ts";
import type { VerifiedPackage } from "../package/verified_package.ts";
import { guestChunk } from "./entries.ts";
import { guestCode } from "./guest_code.ts";

/** What a guest's node gives it. */
export interface GuestSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  /** The node's own, which is made after its guest. */
  readonly context: () => NodeContext;
}

/** Where the guests of a process run, and what they may use together. */
export interface GuestPlace {
  readonly quota: GuestQuota;
  /** What runs guests of this isolation. @throws ActrError `config` where there is nothing. */
  host(isolation: GuestIsolation): GuestHost;
}

/** What a {@link LiveGuest} is made of. */
export interface LiveGuestComponents extends GuestSurroundings, GuestPlace {}

/** How a request enters a guest. */
export interface DispatchBounds {
  /** Whether it may be in the guest together with others that say so. */
  readonly overlaps: boolean;
  /** Whether a handler waits for it, perhaps one in the guest. */
  readonly nested: boolean;
  /** Monotonic milliseconds at which its caller gives up. */
  readonly deadline?: number;
}

const empty = new Uint8Array(0);

/** One package in a node: its runner, with the way from the node's events into it and from its calls to the node. */
export class LiveGuest {
  readonly package: VerifiedPackage;
  /** What it was built against, as its package's lock file says. */
  readonly dependencies: readonly Dependency[] | undefined;
  readonly #context: () => NodeContext;
  readonly #runner: GuestRunner<GuestScope>;
  readonly #streams: GuestStreams;
  /** Requests in it, or in its line. */
  #dispatching = 0;
  #onIdle: () => void = () => {};

  /** @throws ActrError `config` for a binary that is not run here, a lock file that is none, or limits that cannot be. */
  constructor(
    { package: verified, isolation = "worker", limits }: Omit<GuestDefinition, "methods" | "proof">,
    { clock, log, quota, host, context }: LiveGuestComponents,
  ) {
    const { lockFile } = verified;
    this.package = verified;
    this.dependencies = lockFile && parseLock(new TextDecoder().decode(lockFile)).dependencies;
    this.#context = context;
    const streams = new GuestStreams(
      () => context().streams,
      (chunk, sender) => this.#take(chunk, sender),
    );
    const operations = new HostOperations({ clock, streams });
    this.#streams = streams;
    this.#runner = new GuestRunner<GuestScope>(
      {
        ...{ clock, log, quota },
        host: host(isolation),
        code: guestCode(verified),
        operations: (call, scope) => operations.perform(call, scope),
        onRebuilt: () => streams.clear(),
      },
      resolveGuestOptions(limits),
    );
  }

  /** Compiles it and makes its first instance; nothing of it runs but its initialisers. @throws ActrError as {@link GuestRunner.load}. */
  load(signal: AbortSignal): Promise<void> {
    return this.#runner.load(signal);
  }

  /** Has the guest answer a request. @throws ActrError as {@link GuestRunner.enter}. */
  async dispatch(
    envelope: GuestEnvelope,
    context: Context,
    { overlaps, nested, deadline }: DispatchBounds,
  ): Promise<Uint8Array> {
    const { selfId, callerId, requestId } = context;
    const scope = deadline === undefined ? { context } : { context, deadline };
    const who = { selfId, callerId, requestId };
    const entry: GuestEntry = { name: "dispatch", envelope };
    this.#dispatching += 1;
    try {
      return (await this.#runner.enter(entry, who, scope, { overlaps, nested })) ?? empty;
    } finally {
      this.#dispatching -= 1;
      if (this.#dispatching === 0) this.#onIdle();
    }
  }

  /** Resolves when no request is in it; one at a time may wait for that. @throws the signal's reason. */
  async idle(signal: AbortSignal): Promise<void> {
    if (this.#dispatching === 0) return;
    const { promise, resolve } = withResolvers<void>();
    this.#onIdle = resolve;
    await abortable(promise, signal);
  }

  /** What discovery is told of it: the protos of its package. @throws ActrError `invalid_argument` where they cannot be described. */
  describe(spec: NodeSpec, publishedAt: number): ReturnType<typeof sourceSpec> {
    const { protos, manifest } = this.package;
    const { description } = manifest.metadata;
    const said = { name: manifest.name, ...(description !== undefined && { description }) };
    return sourceSpec(protos, { ...said, ...spec, publishedAt });
  }

  /** Takes no chunks of its streams until {@link resume}: another guest may have streams of these names. */
  suspend(): void {
    this.#streams.suspend();
  }

  /** Takes chunks of its streams again. */
  resume(): void {
    this.#streams.resume();
  }

  /** Tells it where its node stands in life. @throws ActrError what the guest throws; as {@link GuestRunner.enter}. */
  async live(name: GuestLifecycle): Promise<void> {
    await this.#enter({ name }, `lifecycle:${wordOf(name)}`);
  }

  /** Tells it of an event; the runner logs what fails. */
  async tell(entry: GuestEntry): Promise<void> {
    await this.#enter(entry, `hook:${wordOf(entry.name)}`);
  }

  status(): GuestStatus {
    return this.#runner.status();
  }

  /** Gives back its streams and discards it. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#streams.clear();
    await this.#runner.stop();
  }

  async #take(chunk: DataChunk, sender: ActrId): Promise<void> {
    const requestId = `data-chunk:${chunk.streamId}:${chunk.sequence}`;
    await this.#enter(
      { name: "on-data-chunk", chunk: guestChunk(chunk), sender },
      requestId,
      sender,
    );
  }

  async #enter(entry: GuestEntry, requestId: string, callerId?: ActrId): Promise<void> {
    const context = this.#context();
    const { selfId } = context;
    const who = callerId === undefined ? { selfId, requestId } : { selfId, requestId, callerId };
    await this.#runner.enter(entry, who, { context }, { overlaps: false });
  }
}

/** Names of entries, as they stand in request ids. */
function wordOf(name: GuestEntry["name"]): string {
  return name.replaceAll("-", "_");
}
