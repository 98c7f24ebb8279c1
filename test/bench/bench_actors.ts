import { actor, event } from "../../src/mod.ts";

/** State of {@link large}: 10 KB. */
const text = "x".repeat(10_240);

/** By how many milliseconds each alarm was late that fired in this process, and when. */
export const fired: { readonly lateMs: number; readonly at: number }[] = [];

/** An action that changes nothing, and one that is answered when its change is on disk. */
export const counter = actor({
  state: { count: 0 },
  actions: {
    echo: (_c, value: unknown) => value,
    add: (c) => ++c.state.count,
    count: (c) => c.state.count,
  },
});

/** What is slow to wake. */
export const large = actor({
  state: () => ({ text }),
  actions: { length: (c) => c.state.text.length },
});

/** Whatever is said is heard by all who are connected. */
export const room = actor({
  events: { said: event<string>() },
  actions: {
    say: (c, words: string) => c.broadcast("said", words),
  },
});

/** Has alarms. */
export const timer = actor({
  actions: {
    set: (c, dueAt: number) => c.schedule.at(dueAt, "fired"),
    fired(c) {
      const at = Date.now();
      fired.push({ lateMs: at - (c.fire?.dueAt ?? at), at });
    },
  },
});
