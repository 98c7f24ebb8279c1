/**
 * Rooms to talk in, each an actor that sleeps while nobody says anything: the pages stay connected, the first word wakes it.
 *
 *     npx tsx examples/chat-room/serve.ts
 *
 * (or `npx deno run -A`, `npx bun run`) serves them with a page: open it twice.
 */
import { ActrError, actor, defineNode, event } from "@roost/edge";

/** What somebody said. */
export interface Message {
  readonly from: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Messages that a room remembers. */
const remembered = 100;

function text(value: unknown, what: string, longest: number): string {
  const given = typeof value === "string" ? value.trim() : "";
  if (given !== "" && given.length <= longest) return given;
  throw new ActrError("user.invalid", `${what} has 1 to ${longest} characters`);
}

const room = actor({
  state: () => ({ messages: [] as Message[] }),
  params: (value: unknown): { name: string } => ({
    name: text((value as { name?: unknown } | undefined)?.name, "a name", 40),
  }),
  events: { said: event<Message>(), present: event<string[]>() },
  onConnect: (c) => c.broadcast("present", names(c.conns)),
  onDisconnect: (c) => c.broadcast("present", names(c.conns)),
  actions: {
    say(c, what: string) {
      if (c.conn === undefined) throw new ActrError("user.invalid", "connect to say something");
      const message = {
        from: c.conn.params.name,
        text: text(what, "a message", 2000),
        at: Date.now(),
      };
      c.state.messages.push(message);
      if (c.state.messages.length > remembered) c.state.messages.shift();
      c.broadcast("said", message);
    },
    /** What was said of late, and who is here: for who comes in. */
    look: (c) => ({ messages: [...c.state.messages], present: names(c.conns) }),
  },
  actionOptions: { look: { turn: "read" } },
  options: { sleepAfterMs: 1000 },
});

/** Who is here; one who has the page open twice is here once. */
function names(
  conns: ReadonlyMap<string, { readonly params: { readonly name: string } }>,
): string[] {
  return [...new Set([...conns.values()].map(({ params }) => params.name))].sort();
}

export const app = defineNode({ type: "acme:ChatRoom:1.0.0", actors: { room } });
