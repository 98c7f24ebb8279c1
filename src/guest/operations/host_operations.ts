import type { CallOptions, Destination } from "../../context.ts";
import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GuestChunk, GuestDestination, HostAnswer } from "../../ports/guest_host.ts";
import type { ActrId } from "../../protocol/ids.ts";
import type { ChunkInit } from "../../stream.ts";
import { toGuestError } from "../guest_error.ts";
import type { NodeCall } from "../life/host_gate.ts";
import type { GuestStreams } from "./guest_streams.ts";
import type { GuestScope } from "./scope.ts";

/** Longest that one call of a guest waits, milliseconds (`spec/guest.md` §13). */
const callTimeoutMs = 30_000;

const done: HostAnswer = { ok: undefined };

type Request = Extract<NodeCall, { readonly name: "call" | "tell" }>;
type Chunk = Extract<NodeCall, { readonly name: "send-data-chunk" }>;

/** What a guest may ask of its node, as the node's own code would ask for it (`spec/guest.md` §13). */
export class HostOperations {
  readonly #clock: Clock;
  readonly #streams: GuestStreams;

  constructor(components: { readonly clock: Clock; readonly streams: GuestStreams }) {
    this.#clock = components.clock;
    this.#streams = components.streams;
  }

  /** Performs a call in the name of the entry that makes it; never fails: every failure is an answer with its own case. */
  perform(call: NodeCall, scope: GuestScope): HostAnswer | Promise<HostAnswer> {
    try {
      const answer = this.#perform(call, scope);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => refusal(call, scope, error));
    } catch (error) {
      return refusal(call, scope, error);
    }
  }

  #perform(call: NodeCall, scope: GuestScope): HostAnswer | Promise<HostAnswer> {
    const { context } = scope;
    switch (call.name) {
      case "call":
        return this.#call(destinationOf(call.target), call, scope);
      case "call-raw":
        return this.#call(call.target, call, scope);
      case "tell":
        return context.tell(destinationOf(call.target), call.routeKey, call.payload).then(nothing);
      case "discover":
        return context.discover(call.type, { count: 1 }).then(([found]) => ({ ok: found }));
      case "register-stream":
        this.#streams.register(call.streamId);
        return done;
      case "unregister-stream":
        this.#streams.unregister(call.streamId);
        return done;
      case "send-data-chunk":
        return send(call, scope);
    }
  }

  async #call(
    target: Destination,
    { routeKey, payload }: Pick<Request, "routeKey" | "payload">,
    scope: GuestScope,
  ): Promise<HostAnswer> {
    const options = this.#bounds(scope);
    return { ok: await scope.context.call(target, routeKey, payload, options) };
  }

  /** What an entry asks for is waited for no longer than the entry. */
  #bounds({ deadline }: GuestScope): CallOptions {
    if (deadline === undefined) return { timeoutMs: callTimeoutMs };
    const leftMs = deadline - this.#clock.monotonic();
    if (leftMs <= 0) throw new ActrError("timed_out", "nobody waits for this request any more");
    return { timeoutMs: Math.min(callTimeoutMs, leftMs) };
  }
}

/** Other lanes than those of streams are refused with `invalid_argument`, as for the node's own code. */
async function send({ target, chunk, lane }: Chunk, { context }: GuestScope): Promise<HostAnswer> {
  const peer = peerOf(target, context.selfId);
  await context.streams.send(peer, chunk.streamId, chunkInit(chunk), { payloadType: lane });
  return done;
}

function destinationOf(target: GuestDestination): Destination {
  return target.kind === "peer" ? target.id : target.kind;
}

/** Chunks go to nodes; what embeds this one takes none. @throws ActrError `not_implemented`. */
function peerOf(target: GuestDestination, self: ActrId): ActrId {
  if (target.kind === "peer") return target.id;
  if (target.kind === "workload") return self;
  const reason = "the host takes no chunks; send them to a peer, or call the host";
  throw new ActrError("not_implemented", reason, { public: true });
}

function chunkInit({ payload, sequence, metadata, timestampMs }: GuestChunk): ChunkInit {
  const init = { payload, sequence, metadata };
  return timestampMs === undefined ? init : { ...init, timestampMs: Number(timestampMs) };
}

function nothing(): HostAnswer {
  return done;
}

/** What is not for a guest to read is in the log. */
function refusal({ name }: NodeCall, { context }: GuestScope, thrown: unknown): HostAnswer {
  const error = ActrError.from(thrown);
  if (!error.public) context.log.warn("guest.call_failed", { call: name, error });
  return { error: toGuestError(error) };
}
