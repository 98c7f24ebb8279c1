/**
 * What the compiler refuses of methods that answer with streams, of access rules and of forwarded services. Nothing here
 * runs: tsc fails when a line marked as an error compiles.
 */
import {
  type ActrId,
  defineNode,
  forward,
  type NodeContext,
  type RequestContext,
  service,
} from "@roost/edge";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import { type Line, type Position, TailService } from "../../examples/tail/tail_pb.ts";

/** Whether two types are the same, and neither is `any`. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function same<A, B>(_proof: Same<A, B>): void {}

const append = () => ({ line: 1 });

export const right = service(TailService, {
  acl: [{ permission: "allow", type: "acme:Reader:1.0.0" }],
  handlers: {
    append,
    async *follow(request, context) {
      same<typeof request, Position>(true);
      same<typeof context, RequestContext>(true);
      yield { text: `from ${request.line}` };
    },
  },
  methods: { append: { acl: [] }, follow: { acl: [], conflictKey: { field: "line" } } },
});

export const oneMessage = service(TailService, {
  handlers: {
    append,
    // @ts-expect-error: what answers with a stream gives messages one by one, not one
    follow: () => ({ text: "only" }),
  },
});

export const wrongItem = service(TailService, {
  handlers: {
    append,
    // @ts-expect-error: a line's text is a string
    async *follow() {
      yield { text: 7 };
    },
  },
});

export const noState = service(TailService, {
  handlers: {
    append,
    // @ts-expect-error: there is no commit that the state of a stream's handler could be part of
    async *follow(_request, { state }) {
      yield { text: String(await state.get("x")) };
    },
  },
});

export const streamForMessage = service(EchoService, {
  handlers: {
    // @ts-expect-error: the method answers with one message
    async *echo() {
      yield { reply: "x" };
    },
  },
});

export const explicitStream = service(TailService, {
  handlers: {
    append,
    // @ts-expect-error: a stream has no reply to take
    follow: { explicit() {} },
  },
});

// @ts-expect-error: the handler of `follow` is missing
export const missing = service(TailService, { handlers: { append } });

export const durableStream = service(TailService, {
  handlers: { append, async *follow() {} },
  // @ts-expect-error: a stream does not outlive its connection, so that it cannot be durable
  methods: { follow: { durable: true } },
});

export const wrongRule = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: a rule allows or denies
  acl: [{ permission: "maybe", type: "acme:A:1.0.0" }],
});

export async function client(context: NodeContext, peer: ActrId): Promise<void> {
  const tail = context.service(TailService, peer);
  for await (const line of tail.follow({ line: 3 }, { windowBytes: 1_000 })) {
    same<typeof line, Line>(true);
  }
  const position = await tail.append({ text: "x" });
  same<typeof position, Position>(true);
  // @ts-expect-error: the request has no field `text`
  tail.follow({ text: "x" });
  // @ts-expect-error: a stream is iterated, not told
  tail.follow.tell({});
  // @ts-expect-error: the lane is the method's own
  tail.follow({}, { payloadType: 1 });
  // @ts-expect-error: one message is no stream
  for await (const _ of tail.append({})) break;
}

export const gateway = defineNode({
  services: [
    forward(EchoService, "acme:EchoService:1.0.0", { methods: { echo: { acl: [] } } }),
    forward(TailService, { manufacturer: "acme", name: "TailService", version: "1.0.0" }),
  ],
});

// @ts-expect-error: the type of the nodes that answer is missing
forward(EchoService);
// @ts-expect-error: nothing is handled here
forward(EchoService, "acme:EchoService:1.0.0", { handlers: { echo: () => ({}) } });
// @ts-expect-error: the service has no method `shout`
forward(EchoService, "acme:EchoService:1.0.0", { methods: { shout: {} } });
