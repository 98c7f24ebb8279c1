import { connect, type Socket } from "node:net";
import { TcpBetween } from "../fixtures/tcp_between.ts";

/** A load balancer as plain as they come: TCP, in turn, past whoever does not answer. */
export class Balancer implements AsyncDisposable {
  readonly #between: TcpBetween;

  private constructor(between: TcpBetween) {
    this.#between = between;
  }

  /** Spreads connections over ports of the loopback. */
  static async start(targets: readonly number[]): Promise<Balancer> {
    let turn = 0;
    return new Balancer(
      await TcpBetween.start((client, between) => {
        const first = turn++ % targets.length;
        connectFirst(client, [...targets.slice(first), ...targets.slice(0, first)], between);
      }),
    );
  }

  /** Base address. */
  get url(): string {
    return `http://127.0.0.1:${this.#between.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#between[Symbol.asyncDispose]();
  }
}

/** Connects a client to the first of some ports that answers. */
function connectFirst(
  client: Socket,
  [target, ...others]: readonly number[],
  between: TcpBetween,
): void {
  if (target === undefined) return void client.destroy();
  client.pause();
  client.on("error", () => {});
  const server = connect(target, "127.0.0.1");
  const next = (): void => connectFirst(client, others, between);
  server.once("error", next);
  server.once("connect", () => {
    server.off("error", next);
    between.couple(client, server);
    client.pipe(server);
    server.pipe(client);
  });
}
