import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A load balancer as plain as they come: TCP, in turn, past whoever does not answer. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #targets: readonly number[];
  readonly #sockets = new Set<Socket>();
  #turn = 0;

  private constructor(targets: readonly number[]) {
    this.#targets = targets;
    this.#server = createServer((client) => this.#serve(client, this.#turn++, targets.length));
  }

  /** Spreads connections over ports of the loopback. */
  static async start(targets: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(targets);
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  /** Base address. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket, turn: number, tries: number): void {
    const target = this.#targets[turn % this.#targets.length];
    if (target === undefined || tries === 0) return void client.destroy();
    client.pause();
    client.on("error", () => {});
    const server = connect(target, "127.0.0.1");
    server.once("error", () => this.#serve(client, turn + 1, tries - 1));
    server.once("connect", () => this.#join(client, server));
  }

  #join(client: Socket, server: Socket): void {
    server.removeAllListeners("error");
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
