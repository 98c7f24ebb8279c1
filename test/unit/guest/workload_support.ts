import { defineNode, type NodeInit } from "@roost/edge";
import { type TestNode, type TestNodeOptions, testNode } from "@roost/edge/testing";
import { GuestQuota } from "../../../src/guest/life/quota.ts";
import type { VerifiedPackage } from "../../../src/guest/package/verified_package.ts";
import { guestRuntime } from "../../../src/guest/workload/guest_runtime.ts";
import type { GuestDefinition } from "../../../src/guest.ts";
import type {
  EntryOutcome,
  GuestEntry,
  HostAnswer,
  HostCall,
  Invocation,
} from "../../../src/ports/guest_host.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { type Entered, FakeGuestHost, type Script } from "../../fixtures/fake_guest_host.ts";

/** A package that was never packed: what verification would say of it. */
export function verified(changes: Partial<VerifiedPackage["manifest"]> = {}): VerifiedPackage {
  const version = changes.version ?? "1.0.0";
  return {
    manifest: {
      manufacturer: "acme",
      name: "echo",
      version,
      binary: { path: "bin/actor.wasm", hash: "0".repeat(64), target: "roost-script" },
      signatureAlgorithm: "ed25519",
      resources: [],
      protoFiles: [],
      metadata: {},
      ...changes,
    },
    manifestBytes: utf8(`version = "${version}"`),
    signature: new Uint8Array(64),
    keyId: "mfr-0000000000000000",
    binary: utf8("code"),
    resources: new Map(),
    protos: new Map(),
  };
}

/** How a test's guest lives. */
export interface GuestNodeOptions extends TestNodeOptions {
  readonly guest?: Partial<GuestDefinition>;
  readonly init?: Omit<NodeInit, "guest">;
  readonly host?: FakeGuestHost;
}

/** A node whose guest does what `script` says. */
export async function guestNode(
  script: Script,
  { guest, init, host = new FakeGuestHost(script), ...options }: GuestNodeOptions = {},
): Promise<TestNode> {
  const guests = guestRuntime({ quota: new GuestQuota(), host: () => host });
  const app = defineNode({
    ...init,
    guest: { package: verified(), registersAs: "linked", ...guest },
  });
  return await testNode(app, { ...options, components: { ...options.components, guests } });
}

/** A script that answers dispatches by route, and writes down what else enters. */
export function routes(
  byRoute: Readonly<Record<string, (entered: Dispatched) => EntryOutcome | Promise<EntryOutcome>>>,
  told: GuestEntry[] = [],
): Script {
  return (entered) => {
    const { entry } = entered;
    if (entry.name !== "dispatch") {
      told.push(entry);
      return { ok: undefined };
    }
    const { routeKey, payload } = entry.envelope;
    const answer = byRoute[routeKey];
    if (answer === undefined) return { error: { code: "unknown_route", message: routeKey } };
    return answer({ ...entered, payload, ask: asking(entered) });
  };
}

/** One dispatch, as a script sees it. */
export interface Dispatched extends Entered {
  readonly payload: Uint8Array;
  /** Calls the node with the entry's own token. */
  readonly ask: (call: WithoutToken<HostCall>) => Promise<HostAnswer>;
}

/** A call without its token, case by case. */
export type WithoutToken<Call> = Call extends unknown ? Omit<Call, "token"> : never;

/** Calls the node with the entry's own token. */
export function asking({
  call,
  invocation,
}: Pick<Entered, "call"> & { readonly invocation: Invocation }) {
  return async (asked: WithoutToken<HostCall>): Promise<HostAnswer> =>
    await call({ ...asked, token: invocation.token } as HostCall);
}

/** The answer of a dispatch. */
export function ok(text: string): EntryOutcome {
  return { ok: utf8(text) };
}

/** What the node answered, as text that a test can compare. */
export function shown(answer: HostAnswer): string {
  if ("error" in answer) return `${answer.error.code}: ${answer.error.message}`;
  return answer.ok instanceof Uint8Array ? new TextDecoder().decode(answer.ok) : "ok";
}

/** The text of bytes. */
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
