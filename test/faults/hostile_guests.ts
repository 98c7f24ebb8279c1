import assert from "node:assert/strict";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError, type ErrorCode } from "../../src/errors.ts";
import type { NodeCall } from "../../src/guest/life/host_gate.ts";
import { type GuestOptions, resolveGuestOptions } from "../../src/guest/life/options.ts";
import type { GuestQuota } from "../../src/guest/life/quota.ts";
import { GuestRunner } from "../../src/guest/life/runner.ts";
import type {
  GuestCode,
  GuestEntry,
  GuestHost,
  GuestKind,
  HostAnswer,
} from "../../src/ports/guest_host.ts";
import { dataChunk, observations } from "../conformance/guest_samples.ts";
import { callerId, selfId } from "../conformance/guest_world.ts";
import { callPayload, probeModes, u32s, u64 } from "../fixtures/guests/probe_guest.ts";

const nothing = new Uint8Array();
const mebibyte = 1024 * 1024;
const [hook = { name: "on-signaling-connecting" }] = observations;

/** A guest that does what it is told, good or bad, and its node's answers. */
export class ToldGuest implements AsyncDisposable {
  readonly runner: GuestRunner<undefined>;

  constructor(host: GuestHost, code: GuestCode, quota: GuestQuota, options: Partial<GuestOptions>) {
    this.runner = new GuestRunner<undefined>(
      {
        clock: systemClock(),
        log: silentLogger(),
        host,
        code,
        quota,
        operations: answer,
        onRebuilt() {},
      },
      resolveGuestOptions(options),
    );
  }

  async load(): Promise<this> {
    await this.runner.load(new AbortController().signal);
    return this;
  }

  /** Has it answer a request. */
  async dispatch(routeKey: string, payload: Uint8Array = nothing): Promise<Uint8Array | undefined> {
    return this.enter({ name: "dispatch", envelope: { requestId: "r", routeKey, payload } });
  }

  /** Enters it; requests may overlap. */
  enter(entry: GuestEntry): Promise<Uint8Array | undefined> {
    const context = { selfId, callerId, requestId: "r" };
    return this.runner.enter(entry, context, undefined, { overlaps: entry.name === "dispatch" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner.stop();
  }
}

/** `never` has no answer; everything else is answered with what came. */
function answer(call: NodeCall): HostAnswer | Promise<HostAnswer> {
  if ("routeKey" in call && call.routeKey === "never") return new Promise(() => {});
  return { ok: "payload" in call ? call.payload : undefined };
}

/** How an entry ended: well, or with an error. */
export type End = ErrorCode | "ok";

/** Something that a guest does against its node. */
export interface Attack {
  readonly name: string;
  /** How it may end for who entered the guest. */
  readonly ends: readonly End[];
  readonly wasmOnly: boolean;
  run(guest: ToldGuest): Promise<unknown>;
}

/** Attacks on the calling convention, which scripts do not see. */
const conventions = new Set(["forge", "twice", "mute", "bad-code", "wild"]);

const stopped: readonly End[] = ["internal", "timed_out"];

function spinning(name: string, entry: GuestEntry, ends: readonly End[]): Attack {
  return {
    name: `computes for ever in ${name}`,
    ends,
    wasmOnly: false,
    async run(guest) {
      await guest.dispatch("mode", Uint8Array.of(probeModes.spin));
      await guest.enter(entry);
    },
  };
}

function route(name: string, key: string, ends: readonly End[], payload = nothing): Attack {
  return {
    name,
    ends,
    wasmOnly: conventions.has(key),
    run: (guest) => guest.dispatch(key, payload),
  };
}

/** What guests of a kind can try. */
export function attacksOf(kind: GuestKind): Attack[] {
  return attacks.filter(({ wasmOnly }) => kind === "wasm" || !wasmOnly);
}

/** Everything that a guest is known to try. */
const attacks: readonly Attack[] = [
  route("computes for ever in a request", "spin", stopped),
  spinning("on-ready", { name: "on-ready" }, stopped),
  spinning("a hook", hook, ["ok"]),
  spinning("a chunk", dataChunk("s", nothing), stopped),
  route("traps", "trap", ["internal"]),
  route("calls itself without end", "recurse", ["internal"]),
  route("takes all memory, and traps", "bomb", ["internal"], Uint8Array.of(1)),
  route("floods the log", "log-flood", stopped, new Uint8Array(8192)),
  route("floods its node with calls", "call-flood", stopped, callPayload("never")),
  route("makes tokens up", "forge", ["invalid_argument"], forged(2n ** 40n)),
  route("makes a token 0 up", "forge", ["invalid_argument"], forged(0n)),
  route("answers with very much", "fill", ["ok"], u32s(2 * mebibyte)),
  route("is given much", "echo", ["ok", "internal"], new Uint8Array(8 * mebibyte)),
  route("never answers", "never", ["timed_out"]),
  route("waits for a node that never answers", "call", ["timed_out"], callPayload("never")),
  route("answers twice", "twice", ["internal"]),
  route("ends without an answer", "mute", ["internal"]),
  route("returns what means nothing", "bad-code", ["internal"], u32s(0xff)),
  route("answers with memory that it has not", "wild", ["internal"], u32s(0xfffffff0, 64)),
];

function forged(token: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...u64(token), ...callPayload("r")]);
}

/** Has a guest attack; how that ended for who entered it. */
export async function endOf(attack: Attack, guest: ToldGuest): Promise<End> {
  try {
    await attack.run(guest);
    return "ok";
  } catch (error) {
    assert.ok(ActrError.is(error), `${attack.name}: ${error}`);
    return error.code;
  }
}

/** Enough for a guest that means well, and little for one that does not. */
export const hostileOptions: Partial<GuestOptions> = {
  fuel: 3_000_000,
  entryTimeoutMs: 1000,
  hookTimeoutMs: 1000,
  memoryBytes: 64 * mebibyte,
};
