import type { CallTarget, ConnectionStatus, ConnectionToActor } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import { failureOfClose } from "../../outbound/gateway_failure.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { withResolvers } from "../../with_resolvers.ts";
import type { ActorHost } from "../actor_host.ts";
import { Client, type ClientSink } from "./client.ts";

type Listener = (payload: unknown) => void;

/** One action that waits for its answer, or to be sent. */
interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  resolve(output: unknown): void;
  reject(error: ActrError): void;
}

/** A client in the same process, connected to an actor until one of the two ends it. Values are copied. */
export class LocalConnection implements ConnectionToActor {
  readonly ended: Promise<ActrError | undefined>;
  readonly #end = withResolvers<ActrError | undefined>();
  readonly #client: Client;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #errorListeners = new Set<(error: ActrError) => void>();
  readonly #calls = new Map<bigint, Call>();
  #lastId = -1n;
  #status: ConnectionStatus = "connecting";

  constructor(host: ActorHost, target: CallTarget, params: unknown) {
    this.ended = this.#end.promise;
    this.#client = new Client(host, this.#sink());
    void this.#connect(host, target, params);
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  act(name: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#status === "closed") return reject(closed());
      this.#lastId += 1n;
      const call = { name, args: decodeCbor(encodeCbor(args)) as unknown[], resolve, reject };
      this.#calls.set(this.#lastId, call);
      if (this.#status === "connected") this.#send(this.#lastId, call);
    });
  }

  on(event: string, listener: Listener): () => void {
    const own: Listener = (payload) => listener(payload);
    const known = this.#listeners.get(event);
    if (known === undefined) {
      this.#listeners.set(event, new Set([own]));
      if (this.#status === "connected") this.#subscribe(event, true);
    } else known.add(own);
    return () => this.#unlisten(event, own);
  }

  onError(listener: (error: ActrError) => void): () => void {
    const own = (error: ActrError): void => listener(error);
    this.#errorListeners.add(own);
    return () => void this.#errorListeners.delete(own);
  }

  close(): void {
    const wasConnected = this.#status === "connected";
    this.#finish(undefined);
    if (wasConnected) this.#client.leave();
  }

  async #connect(host: ActorHost, target: CallTarget, params: unknown): Promise<void> {
    try {
      const { connections } = await host.wake(target);
      await connections.connect({ params, client: this.#client });
      if (this.#status === "closed") this.#client.leave();
    } catch (error) {
      this.#finish(ActrError.from(error));
    }
  }

  #sink(): ClientSink {
    return {
      codec: { event: (name, args) => encodeCbor([name, ...args]) },
      opened: () => this.#opened(),
      send: (frame) => this.#hear(frame as Uint8Array),
      answerTo: (id) => ({
        take: (output) => {
          const bytes = encodeCbor(output);
          return () => this.#settled(id)?.resolve(decodeCbor(bytes));
        },
        fail: (error) => this.#settled(id)?.reject(error),
      }),
      fail: (error) => this.#tell(error),
      probe: () => {},
      close: (reason) =>
        this.#finish(reason.includes(".") ? failureOfClose(1011, reason) : undefined),
    };
  }

  #opened(): void {
    if (this.#status === "closed") return;
    this.#status = "connected";
    for (const event of this.#listeners.keys()) this.#subscribe(event, true);
    for (const [id, call] of this.#calls) this.#send(id, call);
  }

  #send(id: bigint, { name, args }: Call): void {
    this.#client.receive({ tag: "ActionRequest", id, name, args }, 0);
  }

  #subscribe(eventName: string, subscribe: boolean): void {
    this.#client.receive({ tag: "SubscriptionRequest", eventName, subscribe }, 0);
  }

  #unlisten(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(event);
    if (this.#status === "connected") this.#subscribe(event, false);
  }

  #hear(frame: Uint8Array): void {
    const [event, payload] = decodeCbor(frame) as [string, unknown];
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(payload);
      } catch (error) {
        this.#tell(ActrError.from(error));
      }
    }
  }

  #tell(error: ActrError): void {
    for (const listener of [...this.#errorListeners]) listener(error);
  }

  #settled(id: bigint): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #finish(failure: ActrError | undefined): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    for (const call of this.#calls.values()) call.reject(failure ?? closed());
    this.#calls.clear();
    this.#end.resolve(failure);
    if (failure !== undefined) this.#tell(failure);
  }
}

function closed(): ActrError {
  return new ActrError("actor.aborted", "the connection is closed");
}
