import type { GuestErrorCode, HostAnswer, HostCall } from "../../ports/guest_host.ts";
import type { Logger } from "../../ports/logger.ts";
import { isSamePeer } from "../../protocol/ids.ts";
import { toGuestError } from "../guest_error.ts";
import type { EntriesInFlight } from "./entries_in_flight.ts";
import type { LiveEntry } from "./live_entry.ts";
import { type LogLines, levelOf } from "./log_lines.ts";

/** What a guest asks of the node; its log is not among it, since {@link HostGate} writes that. */
export type NodeCall = Exclude<HostCall, { readonly name: "log-message" }>;

/** Does what an entry of a guest asks of the node. */
export type NodeOperations<Scope> = (
  call: NodeCall,
  scope: Scope,
  entry: LiveEntry<Scope>,
) => HostAnswer | Promise<HostAnswer>;

/** What a {@link HostGate} is made of. */
export interface HostGateComponents<Scope> {
  readonly log: Logger;
  readonly lines: LogLines;
  readonly operations: NodeOperations<Scope>;
}

/** Every call of one instance passes here: for an entry in flight, within its limits, or not at all. */
export class HostGate<Scope> {
  readonly #log: Logger;
  readonly #lines: LogLines;
  readonly #operations: NodeOperations<Scope>;
  readonly #entries: EntriesInFlight<Scope>;
  readonly #most: number;
  #waiting = 0;

  /** @param most calls that wait for an answer at once. */
  constructor(
    components: HostGateComponents<Scope>,
    entries: EntriesInFlight<Scope>,
    most: number,
  ) {
    this.#log = components.log;
    this.#lines = components.lines;
    this.#operations = components.operations;
    this.#entries = entries;
    this.#most = most;
  }

  /** The answer to a call; a token that is not in flight is answered `invalid_argument` (`spec/guest.md` §21 GD-13). */
  perform(call: HostCall): HostAnswer | Promise<HostAnswer> {
    const entry = this.#entries.find(call.token);
    if (entry === undefined) {
      return refused("invalid_argument", `token ${call.token} is of no entry that runs`);
    }
    if (call.name === "log-message") return this.#write(call.level, call.message, entry);
    return this.#refusal(call, entry) ?? this.#ask(call, entry);
  }

  #refusal(call: NodeCall, entry: LiveEntry<Scope>): HostAnswer | undefined {
    if (call.name === "register-stream" && entry.streamId !== undefined) {
      this.#log.error("guest.call_refused", { call: call.name, stream_id: call.streamId });
      return refused("not_implemented", "a stream cannot be registered while a chunk is handled");
    }
    if (!entry.overlaps && waitsForItself(call, entry)) {
      return refused("invalid_argument", "this entry runs alone: a call of itself would never end");
    }
    if (this.#waiting < this.#most) return undefined;
    return refused("unavailable", `${this.#most} calls of this guest wait for an answer already`);
  }

  #ask(call: NodeCall, entry: LiveEntry<Scope>): HostAnswer | Promise<HostAnswer> {
    try {
      const answer = this.#operations(call, entry.scope, entry);
      return answer instanceof Promise ? this.#wait(call, answer) : this.#noted(call, answer);
    } catch (error) {
      return { error: toGuestError(error) };
    }
  }

  async #wait(call: NodeCall, answer: Promise<HostAnswer>): Promise<HostAnswer> {
    this.#waiting += 1;
    try {
      return this.#noted(call, await answer);
    } catch (error) {
      return { error: toGuestError(error) };
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Streams are remembered with the token under which they were registered. */
  #noted(call: NodeCall, answer: HostAnswer): HostAnswer {
    if (call.name === "register-stream" && "ok" in answer) {
      this.#entries.registered(call.streamId, call.token);
    }
    if (call.name === "unregister-stream") this.#entries.unregistered(call.streamId);
    return answer;
  }

  #write(level: string, message: string, entry: LiveEntry<Scope>): HostAnswer {
    const admitted = this.#lines.admit(message);
    if (admitted === undefined) return { ok: undefined };
    const { line, dropped } = admitted;
    if (dropped > 0) this.#log.warn("guest.log_dropped", { lines: dropped });
    this.#log[levelOf(level)]("guest.log", { message: line, request_id: entry.context.requestId });
    return { ok: undefined };
  }
}

/** Whether a call is answered only when the guest can be entered again. */
function waitsForItself<Scope>(call: NodeCall, { selfId }: LiveEntry<Scope>): boolean {
  if (call.name === "call-raw") return isSamePeer(call.target, selfId);
  if (call.name !== "call") return false;
  const { target } = call;
  return target.kind === "peer" ? isSamePeer(target.id, selfId) : target.kind === "workload";
}

function refused(code: GuestErrorCode, message: string): HostAnswer {
  return { error: { code, message } };
}
