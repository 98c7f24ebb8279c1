import type { RequestContext, Socket, Sockets, UpgradeOptions } from "../../src/ports/sockets.ts";
import type { KillSwitch } from "./kill_switch.ts";

/** Sockets whose process dies before a peer gets an answer: before accepted sockets send a message that `isAnswer`. */
export function killingSockets(
  inner: Sockets,
  end: KillSwitch,
  isAnswer: (message: Uint8Array) => boolean,
): Sockets {
  const { serve } = inner;
  if (serve === undefined) throw new TypeError(`${inner.name} sockets cannot listen`);
  const dieInstead = (message: Uint8Array): boolean => {
    if (!isAnswer(message) || !end.isDue("before reply")) return false;
    void end.die("before reply");
    return true;
  };
  return {
    ...inner,
    serve: (options) =>
      serve({
        ...options,
        fetch: (request, context) => options.fetch(request, accepting(context, dieInstead)),
      }),
  };
}

/** A request whose upgrade leads to a socket that may not send everything. */
function accepting(
  context: RequestContext,
  holdsBack: (message: Uint8Array) => boolean,
): RequestContext {
  const { upgrade } = context;
  if (upgrade === undefined) return context;
  return {
    ...context,
    upgrade: (options: UpgradeOptions, onSocket: (socket: Socket) => void) =>
      upgrade(options, (socket) => {
        const send = socket.send.bind(socket);
        socket.send = (message) => {
          if (!holdsBack(message)) send(message);
        };
        onSocket(socket);
      }),
  };
}
