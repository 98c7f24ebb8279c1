import assert from "node:assert/strict";
import { type TestNode, testNode } from "@roost/edge/testing";
import { actor, event, queue } from "../../../../src/actor.ts";
import { defineNode } from "../../../../src/define.ts";

/** Let the calls of `slowly` that go on end. */
export const releases: (() => void)[] = [];

const room = actor({
  state: () =>
    ({ count: 0, seen: new Map([["a", 1]]), at: new Date(5) }) as Record<string, unknown>,
  events: { counted: event<number>() },
  queues: { jobs: queue<{ n: number }>() },
  connState: () => ({ name: "guest" }),
  actions: {
    add(c, by: number) {
      c.state["count"] = Number(c.state["count"]) + by;
      c.broadcast("counted", Number(c.state["count"]));
      return c.state["count"];
    },
    echo: (_c, ...args: unknown[]) => args,
    caller: (c) => c.conn === undefined,
    put: (c, n: number) => c.queue.send("jobs", { n }),
    plan: (c) => c.schedule.after(60_000, "add", 1),
    keep: (c, key: string, value: unknown) => c.kv.put(key, value),
    sleep: (c) => c.sleep(),
    fail() {
      throw new Error("broken inside");
    },
    async slowly(c, ms: number) {
      c.state["count"] = -1;
      await new Promise<void>((resolve) => releases.push(resolve));
      return ms;
    },
  },
});

const stateless = actor({ actions: { ping: () => "pong" } });

/** A node with a `room` and an actor without state. */
export const app = defineNode({ actors: { room, stateless } });
/** Opens its inspector. */
export const inspectToken = "a-token-of-the-test";

/** A node with {@link app}. */
export function openNode(): Promise<TestNode<typeof app>> {
  return testNode(app, { inspectToken });
}

/** Asks `/inspect` with the token. */
export function ask(t: TestNode, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${inspectToken}` };
  return t.fetch(`/inspect${path}`, { headers, ...init });
}

/** The JSON of an answer that is 200. */
export async function get<T>(t: TestNode, path: string, init: RequestInit = {}): Promise<T> {
  const response = await ask(t, path, init);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as T;
}

/** A request with a JSON body. */
export function sends(method: string, body: unknown): RequestInit {
  return { method, body: JSON.stringify(body) };
}
