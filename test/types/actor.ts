/**
 * What the compiler infers of an actor, and what it refuses.
 * Nothing here runs: tsc fails when a line marked as an error compiles.
 */
import { type ActorContext, actor, event, queue } from "@roost/edge";

export const counter = actor({
  state: () => ({ count: 0 }),
  vars: () => ({ seen: 0 }),
  events: { changed: event<{ count: number }>() },
  queues: { jobs: queue<{ n: number }, number>() },
  options: { sleepAfterMs: 30_000 },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      c.vars.seen += 1;
      c.broadcast("changed", { count: c.state.count });
      return c.state.count;
    },
    async addLater(c, by: number, ms: number) {
      c.schedule.after(ms, "add", by);
    },
    get: (c) => c.state.count,
  },
  actionOptions: { get: { turn: "read" } },
  onWake(c) {
    c.state.count += 1;
  },
});

export const result: number = counter.actions.add(undefined as never, 1);
export const room = actor({
  state: (input: { title: string }) => ({ title: input.title }),
  params: (value) => String(value),
  connState: (params: string) => ({ name: params }),
  actions: {
    title: (c) => c.state.title,
    name: (c) => c.conn?.state.name,
  },
});
export const names: string | undefined = room.actions.name(undefined as never);
export const constant = actor({ state: { n: 1 }, actions: { n: (c) => c.state.n } });

// @ts-expect-error: the result is a number
export const wrongResult: string = counter.actions.add(undefined as never, 1);
// @ts-expect-error: an argument is missing
export const wrongArguments = counter.actions.add(undefined as never);

actor({
  state: () => ({ n: 1 }),
  events: { known: event<number>() },
  actions: {
    // @ts-expect-error: the state has no such field
    noField: (c) => c.state.x,
    // @ts-expect-error: there is no such event
    noEvent: (c) => c.broadcast("unknown", 1),
    // @ts-expect-error: the payload is a number
    noPayload: (c) => c.broadcast("known", "1"),
  },
});

actor({
  queues: { jobs: queue<{ n: number }, number>(), notes: queue<string>() },
  async run(c) {
    for await (const message of c.queue) {
      if (message.queue === "jobs") await message.complete(message.body.n);
      else message.body.toUpperCase();
      // @ts-expect-error: there is no such queue
      if (message.queue === "unknown") return;
    }
    const note = await c.queue.next({ names: ["notes"], completable: true, timeoutMs: 0 });
    const text: string | undefined = note?.body;
    const outcome = await c.queue.sendAndWait("jobs", { n: text?.length ?? 0 });
    if (outcome.status === "completed") outcome.response.toFixed();
    for (const job of await c.queue.nextBatch({ names: ["jobs"], count: 2 })) {
      job.body.n.toFixed();
      // @ts-expect-error: a job is completed with a number
      await job.complete("done");
    }
  },
  actions: {
    send: (c) => c.queue.send("jobs", { n: 1 }, { delayMs: 5 }),
    // @ts-expect-error: there is no such queue
    noQueue: (c) => c.queue.send("unknown", { n: 1 }),
    // @ts-expect-error: the body is a number within an object
    noBody: (c) => c.queue.send("jobs", 1),
    // @ts-expect-error: there is no such queue to receive from
    noName: (c) => c.queue.next({ names: ["unknown"] }),
  },
});

actor({
  actions: {
    // @ts-expect-error: this actor has no queues
    noQueues: (c) => c.queue.send("jobs", 1),
  },
});

actor({
  actions: { known: () => 1 },
  // @ts-expect-error: there is no such action
  actionOptions: { unknown: { turn: "read" } },
});

// @ts-expect-error: there is no such option
actor({ actions: {}, options: { sleepAfter: 1 } });

export function any(c: ActorContext): unknown {
  return c.state;
}
