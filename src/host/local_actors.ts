import { abortable } from "#async";
import type { ActorKey, QueueOutcome, RawSocket } from "../actor.ts";
import {
  type ActorCaller,
  type CallTarget,
  type ConnectionToActor,
  closeWith,
  type HandleOptions,
  type RequestOptions,
  type SendOptions,
} from "../actor_client.ts";
import { ClientSocket } from "../client_socket.ts";
import { ActrError } from "../errors.ts";
import type { TraceContext } from "../ports/tracer.ts";
import { formatActorKey } from "../protocol/actors/actor_key.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import type { ActorHost } from "./actor_host.ts";
import { LocalConnection } from "./connections/local_connection.ts";
import { answerRequest } from "./connections/raw_request.ts";
import { ServedSocket, serveSocket } from "./connections/served_socket.ts";
import { socketPair } from "./connections/socket_pair.ts";
import { sendForClient } from "./queues/awaited_send.ts";
import { type CallChain, requireDepth } from "./turns/chain.ts";
import type { Answer } from "./turns/command.ts";

/** In whose name actors of the same node are called. */
export interface LocalCallOptions {
  /** Who waits for what is called. @default nobody */
  readonly chain?: CallChain;
  /** What the calls belong to. */
  readonly trace?: TraceContext | undefined;
  /** Names what is asked, where it may be asked again. */
  readonly request?: string;
}

/** Calls actors of the same node: values are copied, as if they had crossed a wire. */
export class LocalActors implements ActorCaller {
  readonly #host: ActorHost;
  readonly #options: LocalCallOptions;

  constructor(host: ActorHost, options: LocalCallOptions = {}) {
    this.#host = host;
    this.#options = options;
  }

  async act(
    target: CallTarget,
    name: string,
    args: readonly unknown[],
    { signal }: HandleOptions = {},
  ): Promise<unknown> {
    signal?.throwIfAborted();
    const { chain = [] } = this.#options;
    requireDepth(chain);
    const copied = decodeCbor(encodeCbor(args)) as unknown[];
    const acting = new Promise((resolve, reject) => {
      const answer: Answer = {
        take(output) {
          const bytes = encodeCbor(output);
          return () => resolve(decodeCbor(bytes));
        },
        fail: reject,
      };
      this.#host.act(target, { ...this.#options, name, args: copied, answer });
    });
    return await until(signal, acting);
  }

  async resolve(target: CallTarget, { signal }: HandleOptions = {}): Promise<string> {
    signal?.throwIfAborted();
    if ("create" in target) return (await until(signal, this.#host.wake(target))).id;
    const found = await until(signal, this.#host.find(target));
    if (found !== undefined) return found.id;
    const what = "id" in target ? target.id : `${target.name} ${formatActorKey(target.key)}`;
    throw new ActrError("actor.not_found", `there is no actor ${what}`);
  }

  async send(
    target: CallTarget,
    queue: string,
    body: unknown,
    { wait = false, timeoutMs, signal }: SendOptions = {},
  ): Promise<QueueOutcome> {
    signal?.throwIfAborted();
    const message = { body: decodeCbor(encodeCbor(body)), wait, timeoutMs };
    const sending = this.#host
      .wake(target)
      .then((instance) => sendForClient(instance, queue, message));
    const { status, response } = await until(signal, sending);
    return status === "completed" ? { status, response } : { status };
  }

  async fetch(
    target: CallTarget,
    path: string,
    { init, signal }: RequestOptions = {},
  ): Promise<Response> {
    signal?.throwIfAborted();
    const { chain = [] } = this.#options;
    requireDepth(chain);
    const request = new Request(new URL(path.replace(/^\/*/, "/"), "http://actor"), init);
    const asked = { request, params: undefined, chain };
    const answering = this.#host.wake(target).then((instance) => answerRequest(instance, asked));
    return (await until(signal, answering)) ?? new Response(null, { status: 404 });
  }

  async webSocket(
    target: CallTarget,
    path: string,
    { signal }: HandleOptions = {},
  ): Promise<RawSocket> {
    signal?.throwIfAborted();
    const [near, far] = socketPair();
    const served = new ServedSocket(far);
    const url = new URL(`/websocket/${path.replace(/^\//, "")}`, "http://actor");
    const init = { request: new Request(url), params: undefined };
    this.#host
      .wake(target)
      .then((instance) => serveSocket(instance, served, init))
      .catch((error: unknown) => served.cut(ActrError.from(error).code));
    return new ClientSocket(near);
  }

  connect(target: CallTarget, params: unknown, { signal }: HandleOptions = {}): ConnectionToActor {
    const copied = params === undefined ? undefined : decodeCbor(encodeCbor(params));
    const connection = new LocalConnection(this.#host, target, copied);
    if (signal !== undefined) closeWith(connection, signal);
    return connection;
  }

  async create(
    name: string,
    key: ActorKey,
    input: unknown,
    { signal }: HandleOptions = {},
  ): Promise<string> {
    signal?.throwIfAborted();
    return (await until(signal, this.#host.create(name, key, input))).id;
  }
}

/** The host's own limits bound `work`; a caller may give up earlier. */
function until<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  return signal === undefined ? work : abortable(work, signal);
}
