/**
 * What the compiler refuses of services and their clients. Nothing here runs: tsc fails when a line
 * marked as an error compiles.
 */
import { type ActrId, type ConflictKey, defineNode, type NodeContext, service } from "@roost/edge";
import { testNode } from "@roost/edge/testing";
import { type EchoRequest, type EchoResponse, EchoService } from "../../examples/echo/echo_pb.ts";
import type { Kinds } from "../fixtures/keys_pb.ts";

/** Whether two types are the same, and neither is `any`. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function same<A, B>(_proof: Same<A, B>): void {}

/** Handlers: request, context and reply are typed by the descriptor. */
export const right = service(EchoService, {
  handlers: {
    echo(request, context) {
      same<typeof request, EchoRequest>(true);
      same<typeof context.callerId, ActrId>(true);
      return { reply: request.message };
    },
  },
  methods: { echo: { durable: true } },
});

export const asynchronous = service(EchoService, {
  handlers: { echo: async (request) => ({ reply: request.message }) },
});

export const wrongField = service(EchoService, {
  handlers: {
    // @ts-expect-error: the request has no field `text`
    echo: (request) => ({ reply: request.text }),
  },
});

export const wrongArgument = service(EchoService, {
  handlers: {
    // @ts-expect-error: a handler takes an EchoRequest, not a number
    echo: (request: number) => ({ reply: String(request) }),
  },
});

export const wrongContext = service(EchoService, {
  handlers: {
    // @ts-expect-error: the context has no `database`
    echo: (_request, context) => ({ reply: context.database }),
  },
});

// @ts-expect-error: the handler of `echo` is missing
export const missing = service(EchoService, { handlers: {} });

export const wrongReply = service(EchoService, {
  handlers: {
    // @ts-expect-error: `reply` is a string
    echo: () => ({ reply: 7 }),
  },
});

export const wrongReplyField = service(EchoService, {
  handlers: {
    // @ts-expect-error: the response has no field `text`
    echo: () => ({ text: "x" }),
  },
});

export const noReply = service(EchoService, {
  handlers: {
    // @ts-expect-error: a handler answers with a message, not with nothing
    echo: () => {},
  },
});

export const unknownMethod = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: the service has no method `shout`
  methods: { shout: { durable: true } },
});

export const unknownOption = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: a method has no option `eternal`
  methods: { echo: { eternal: true } },
});

/** Conflict keys: fields of the request that can be compared, or the sender. */
export const keyed = service(EchoService, {
  handlers: { echo: () => ({}) },
  methods: { echo: { conflictKey: { field: "message", domain: "texts" }, reentrant: true } },
});

export const bySender = service(EchoService, {
  handlers: { echo: () => ({}) },
  methods: { echo: { conflictKey: { sender: true } } },
});

export const wrongKeyField = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: the request has no field `text`
  methods: { echo: { conflictKey: { field: "text" } } },
});

export const internalKeyField = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: what the code generator adds is no field
  methods: { echo: { conflictKey: { field: "$typeName" } } },
});

export const twoKeys = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: the key is a field or the sender, not both
  methods: { echo: { conflictKey: { sender: true, field: "message" } } },
});

export const noKey = service(EchoService, {
  handlers: { echo: () => ({}) },
  // @ts-expect-error: a domain alone is no key
  methods: { echo: { conflictKey: { domain: "texts" } } },
});

// @ts-expect-error: neither a message, nor a list, nor a map can be a key
export const compound: ConflictKey<Kinds> = { field: "list" };

/** Explicit replies: typed by the descriptor, too. */
export const explicit = service(EchoService, {
  handlers: {
    echo: {
      explicit(request, context, reply) {
        same<typeof request, EchoRequest>(true);
        same<typeof context.callerId, ActrId>(true);
        reply.send({ reply: request.message });
        // @ts-expect-error: `reply` is a string
        reply.send({ reply: 7 });
        // @ts-expect-error: the response has no field `text`
        reply.send({ text: "x" });
      },
    },
  },
});

export const app = defineNode({ services: [right] });

// @ts-expect-error: services are definitions, not descriptors
defineNode({ services: [EchoService] });

// @ts-expect-error: a rule allows or denies
defineNode({ acl: [{ permission: "maybe", type: "acme:client:1.0.0" }] });

// @ts-expect-error: no option group is called `mail`
defineNode({ options: { mail: { maxDepth: 1 } } });

// @ts-expect-error: there is no such hook
defineNode({ hooks: { onFullMoon() {} } });

/** Clients: what is asked and answered is typed by the descriptor. */
export async function calls(context: NodeContext, target: ActrId): Promise<void> {
  const echo = context.service(EchoService, target);
  const response = await echo.echo({ message: "hi" }, { timeoutMs: 1_000 });
  same<typeof response, EchoResponse>(true);
  // @ts-expect-error: `message` is a string
  await echo.echo({ message: 7 });
  // @ts-expect-error: the request has no field `text`
  await echo.echo({ text: "hi" });
  // @ts-expect-error: a request is needed
  await echo.echo();
  // @ts-expect-error: the service has no method `shout`
  await echo.shout({});
  // @ts-expect-error: the response has no field `text`
  response.text;
  // @ts-expect-error: a call has no option `timeout`; its unit is in its name
  await echo.echo({ message: "hi" }, { timeout: 1 });
  // @ts-expect-error: a target is an ActrId, not its text
  context.service(EchoService, "1@1001/acme:Echo:1.0.0");
}

/** The testing kit's client is typed the same way. */
export async function kit(): Promise<void> {
  await using t = await testNode(app);
  const response = await t.service(EchoService).echo({ message: "hi" });
  same<typeof response, EchoResponse>(true);
  // @ts-expect-error: `message` is a string
  await t.service(EchoService).echo({ message: 7 });
  // @ts-expect-error: transports of a test node are `memory` and `websocket`
  await testNode(app, { transport: "pigeon" });
}
