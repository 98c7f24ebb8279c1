/**
 * What the compiler infers of a workflow, and what it refuses.
 * Nothing here runs: tsc fails when a line marked as an error compiles.
 */
import { actor, event, queue } from "@roost/edge";

export const order = actor({
  state: (input: { title: string }) => ({ title: input.title, count: 0, list: [] as string[] }),
  events: { changed: event<{ count: number }>() },
  queues: { jobs: queue<{ n: number }, number>(), notes: queue<string>() },
  actions: { count: (c) => c.state.count },
  run: {
    async workflow(w) {
      const title: string = w.input.title;
      const n = await w.step("sync", (c) => {
        c.state.count += 1;
        c.broadcast("changed", { count: c.state.count });
        c.send("jobs", { n: c.state.count });
        c.schedule.after(10, "count");
        return title.length;
      });
      n.toFixed();
      const text = await w.step("async", { maxRetries: 1 }, async () => "text");
      text.toUpperCase();
      const undone = await w.step(
        "undone",
        { rollback: (c, output) => c.send("notes", output.id) },
        () => ({ id: "x" }),
      );
      undone.id.toUpperCase();
      const seen = await w.step("beside", { turn: "interleaved" }, async (c) => c.state.count);
      seen.toFixed();
      const job = await w.message("job", { names: ["jobs"] });
      await job.complete(job.body.n);
      const note = await w.message("note", { names: ["notes"], timeoutMs: 10 });
      const body: string | undefined = note?.body;
      const either = await w.message("either");
      if (either.queue === "jobs") either.body.n.toFixed();
      const sum = await w.loop("loop", { state: 0 }, async (each, state) => {
        await each.sleep("pause", 10);
        return state > 3 ? { done: String(state) } : { next: state + 1 };
      });
      sum.toUpperCase();
      const joined = await w.join("join", {
        a: async (b) => await b.step("one", () => 1),
        b: async (b) => await b.step("two", () => body ?? "two"),
      });
      joined.a.toFixed();
      joined.b.toUpperCase();
      const raced = await w.race("race", {
        a: async (b) => await b.step("one", () => 1),
        b: async (b) => await b.sleep("two", 10),
      });
      if (raced.winner === "a") raced.value.toFixed();
    },
  },
});

export const wrong = actor({
  state: () => ({ count: 0, list: ["a"] }),
  queues: { jobs: queue<{ n: number }, number>() },
  actions: {},
  run: {
    async workflow(w) {
      // @ts-expect-error: the state is for steps alone
      w.state;
      // @ts-expect-error: the state has no such field
      await w.step("no field", (c) => c.state.x);
      // @ts-expect-error: the result is a number
      const text: string = await w.step("result", () => 1);
      // @ts-expect-error: a step beside the actions changes nothing
      await w.step("beside", { turn: "interleaved" }, async (c) => c.state.list.push(text));
      // @ts-expect-error: nor does it send
      await w.step("beside", { turn: "interleaved" }, async (c) => c.send("jobs", { n: 1 }));
      // @ts-expect-error: there is no such queue
      await w.message("message", { names: ["unknown"] });
      // @ts-expect-error: the body has a number
      await w.step("send", (c) => c.send("jobs", { n: "1" }));
      const job = await w.message("job", { names: ["jobs"], timeoutMs: 1 });
      // @ts-expect-error: none may have come in time
      job.body;
      // @ts-expect-error: there is no such kind
      await w.removed("gone", "action");
      // @ts-expect-error: the state of the loop is a number
      await w.loop("loop", { state: 0 }, async () => ({ next: "1" }));
    },
  },
});
