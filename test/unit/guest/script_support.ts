import assert from "node:assert/strict";
import { faultOf, type GuestFault } from "../../../src/guest/fault.ts";
import type {
  EntryOutcome,
  GuestEntry,
  GuestHost,
  GuestImage,
  GuestInstance,
  GuestLimits,
  HostCall,
  HostCalls,
} from "../../../src/ports/guest_host.ts";
import { scriptHost } from "../../fixtures/guests/script_host.ts";

const shared = scriptHost();
const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const never: AbortSignal = new AbortController().signal;

/** Limits that a guest exceeds within a moment. */
export const smallLimits: GuestLimits = {
  fuel: 1_000_000,
  memoryBytes: 24 * 1024 * 1024,
  tableElements: 10_000,
  stackBytes: 256 * 1024,
  codeBytes: 1024 * 1024,
};

const selfId = {
  realm: 1,
  serial: 2n,
  type: { manufacturer: "acme", name: "Self", version: "1" },
};

export interface ScriptOptions {
  readonly limits?: Partial<GuestLimits>;
  readonly host?: GuestHost;
  readonly answer?: HostCalls;
}

/** One instance of a script, whose calls are recorded. */
export class RunningScript {
  readonly instance: GuestInstance;
  readonly calls: HostCall[];
  #token = 0n;

  private constructor(instance: GuestInstance, calls: HostCall[]) {
    this.instance = instance;
    this.calls = calls;
  }

  static async start(source: string, options: ScriptOptions = {}): Promise<RunningScript> {
    return RunningScript.of(await load(source, options), options.answer);
  }

  /** Another instance of a script. */
  static async of(image: GuestImage, answer?: HostCalls): Promise<RunningScript> {
    const calls: HostCall[] = [];
    const instance = await image.instantiate((call) => {
      calls.push(call);
      return answer?.(call) ?? { ok: undefined };
    }, never);
    return new RunningScript(instance, calls);
  }

  /** A script whose `dispatch(envelope, context)` has this body. */
  static dispatching(body: string, options: ScriptOptions = {}): Promise<RunningScript> {
    return RunningScript.start(
      `defineWorkload({ dispatch(envelope, context) { ${body} } })`,
      options,
    );
  }

  enter(entry: GuestEntry): Promise<EntryOutcome> {
    this.#token += 1n;
    return this.instance.enter(entry, { token: this.#token, selfId, requestId: entry.name });
  }

  dispatch(payload: Uint8Array | string = "", routeKey = "route"): Promise<EntryOutcome> {
    const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
    return this.enter({ name: "dispatch", envelope: { requestId: "r", routeKey, payload: bytes } });
  }

  /** The answer's text. */
  async text(payload: Uint8Array | string = "", routeKey?: string): Promise<string> {
    const outcome = await this.dispatch(payload, routeKey);
    assert.ok("ok" in outcome, JSON.stringify(outcome));
    return decoder.decode(outcome.ok);
  }
}

export function load(
  source: string,
  { limits, host = shared }: ScriptOptions = {},
): Promise<GuestImage> {
  const binary = encoder.encode(source);
  return host.load({ kind: "script", binary }, { ...smallLimits, ...limits }, never);
}

/** A script that has a body for each route. */
export function routed(bodies: Readonly<Record<string, string>>): string {
  const routes = Object.entries(bodies).map(
    ([route, body]) => `${JSON.stringify(route)}(envelope, context) { ${body} },`,
  );
  return `const routes = { ${routes.join("\n")} };
    defineWorkload({ dispatch: (envelope, context) => routes[envelope.routeKey](envelope, context) });`;
}

/** That it fails with this fault; the message. */
export async function faultMessage(work: Promise<unknown>, fault: GuestFault): Promise<string> {
  let message = "";
  await assert.rejects(work, (error: Error) => {
    assert.equal(faultOf(error), fault, error.message);
    message = error.message;
    return true;
  });
  return message;
}
