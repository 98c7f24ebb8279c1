/**
 * What the compiler knows of the handles and connections of actors.
 * Nothing here runs: tsc fails when a line marked as an error compiles.
 */
import { type ActorsOf, actor, defineNode, event, type NodeContext, queue } from "@roost/edge";

const room = actor({
  state: (input: { title: string }) => ({ title: input.title }),
  params: (value: unknown) => String(value),
  events: { changed: event<{ count: number }>() },
  queues: { jobs: queue<{ n: number }, number>() },
  actions: { rename: (c, title: string) => `${c.state.title} ${title}` },
});
const app = defineNode({ actors: { room } });

export async function use(actors: ActorsOf<typeof app>): Promise<void> {
  const handle = actors.room.get("a", { input: { title: "t" }, signal: AbortSignal.timeout(1) });
  const title: string = await handle.rename("b");
  await handle.send("jobs", { n: title.length });
  const outcome = await handle.sendAndWait("jobs", { n: 1 }, { timeoutMs: 1 });
  if (outcome.status === "completed") outcome.response.toFixed();
  const answer: Response = await handle.fetch("/x?y=1", { method: "PUT" });
  using connection = handle.connect(answer.statusText);
  const off: () => void = connection.on("changed", ({ count }) => count.toFixed());
  const again: string = await connection.rename("c");
  connection.onError((error) => error.code);
  off();
  again.toUpperCase();
  // @ts-expect-error: the title is a text
  await handle.rename(1);
  // @ts-expect-error: there is no such action
  handle.unknown;
  // @ts-expect-error: there is no such queue
  await handle.send("unknown", 1);
  // @ts-expect-error: a job has a number
  await handle.send("jobs", { n: "1" });
  // @ts-expect-error: the parameters are a text
  handle.connect(1);
  // @ts-expect-error: there is no such event
  connection.on("unknown", () => {});
  // @ts-expect-error: a count is a number
  connection.on("changed", ({ count }) => count.toUpperCase());
  // @ts-expect-error: a connection sends to no queue
  await connection.send("jobs", { n: 1 });
}

/** Actors of this node and of others, as its code calls them. */
export async function call(context: NodeContext): Promise<void> {
  const here = context.actors<typeof app>().room.get("a");
  const there = context.actors<typeof app>("acme:Rooms:1.0.0", { timeoutMs: 1 }).room.get("a");
  const title: string = (await here.rename("b")) + (await there.rename(await here.resolve()));
  title.toUpperCase();
  // @ts-expect-error: the title is a text
  await there.rename(1);
  // @ts-expect-error: there is no such actor
  context.actors<typeof app>().unknown;
  // @ts-expect-error: a node is named by its type or its id
  context.actors<typeof app>(1);
}
