import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { type ActorContext, actor, queue } from "../../../src/actor.ts";
import type { Instance } from "../../../src/host/instance.ts";
import type { StoreChange } from "../../../src/ports/store.ts";
import { Rig } from "./support.ts";

/** A message's body as it should be, or an error. */
export function positive(value: unknown): number {
  if (typeof value === "number" && value > 0) return value;
  throw new TypeError(`${String(value)} is not positive`);
}

/** An actor with queues, and no code that receives from them. */
export const worker = actor({
  state: () => ({ done: [] as string[] }),
  queues: {
    a: queue<string, string>(),
    b: queue<string>(),
    checked: queue<number, number>({ message: positive, completion: positive }),
    closed: queue<string>({ canPublish: () => false }),
    ordered: queue<string>({ maxUncompleted: 1 }),
    brief: queue<string>({ visibilityMs: 1000, maxAttempts: 2, retryDelayMs: 100 }),
    patient: queue<string>({ maxAttempts: 10, retryDelayMs: 100 }),
  },
  options: { maxQueueSize: 20, maxQueueMessageBytes: 100, noSleep: true },
  actions: {
    ping: () => true,
    send(c, body: string) {
      c.state.done.push(`sent ${body}`);
      c.queue.send("a", body);
    },
    async receive(c) {
      const message = await c.queue.next({ names: ["a"], timeoutMs: 0 });
      c.state.done.push(`received ${message?.body}`);
      return message?.body;
    },
    async waitInVain(c) {
      return await c.queue.next({ names: ["b"] });
    },
  },
  actionOptions: { waitInVain: { turn: "interleaved", timeoutMs: 1000 } },
});

/** A store that remembers its commits. */
export class RecordingStore extends MemoryStore {
  readonly commits: (readonly StoreChange[])[] = [];

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    this.commits.push(changes);
    await super.commit(changes);
  }
}

/** An actor of a rig, awake, and its queues as its own code has them. */
export interface Awake {
  readonly rig: Rig;
  readonly instance: Instance;
  readonly queue: ActorContext["queue"];
}

/** Wakes actor `worker` of key `k`, made if there is none. */
export async function wake(rig: Rig = new Rig({ worker })): Promise<Awake> {
  await rig.act("worker", "k", "ping");
  const instance = await rig.instance("worker", "k");
  return { rig, instance, queue: instance.context.queue };
}

/** Keys of the rows of an actor's messages. */
export async function storedKeys({ rig, instance }: Awake): Promise<string[]> {
  const rows = await rig.store.records(`actor:${instance.id}`, "", 1000);
  return rows.map(({ key }) => key).filter((key) => key.startsWith("q:"));
}
