import { defineNode, type Hooks, type NodeDefinition, type NodeInit, service } from "@roost/edge";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { Context } from "../../../src/context.ts";

/** A node that serves echo with what `handle` makes of the text. */
export function echoNode(
  handle: (text: string, context: Context) => string | Promise<string> = (text) => `Echo: ${text}`,
  init: NodeInit & { readonly durable?: boolean } = {},
): NodeDefinition {
  const { durable = false, ...rest } = init;
  const echo = service(EchoService, {
    handlers: {
      echo: async ({ message }, context) => ({ reply: await handle(message, context) }),
    },
    methods: { echo: { durable } },
  });
  return defineNode({ type: "acme:EchoService:1.0.0", services: [echo], ...rest });
}

/** Hooks that write down which of them was called. */
export function recordingHooks(told: string[]): Hooks {
  const names = [
    "onStart",
    "onReady",
    "onStop",
    "onError",
    "onSignalingConnecting",
    "onSignalingConnected",
    "onSignalingDisconnected",
    "onWebSocketConnecting",
    "onWebSocketConnected",
    "onWebSocketDisconnected",
    "onWebRtcConnecting",
    "onWebRtcConnected",
    "onWebRtcDisconnected",
    "onCredentialRenewed",
    "onCredentialExpiring",
    "onMailboxBackpressure",
  ] as const satisfies readonly (keyof Hooks)[];
  return Object.fromEntries(names.map((name) => [name, () => void told.push(name)]));
}

/** A promise with its handle. */
export function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
