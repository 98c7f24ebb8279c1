import type { Timer } from "../ports/clock.ts";
import type { Socket, SocketClosed } from "../ports/sockets.ts";
import type { Refusal } from "./ais/realms.ts";
import type { Hub } from "./hub.ts";
import { receive } from "./inbox.ts";
import { enter, withdraw } from "./sight.ts";
import { type Arrival, type SignalingReceiver, SignalingSocket } from "./signaling_socket.ts";

/** Every open signaling connection: admits them, keeps one per node in sight, and drops the dead ones. */
export class SignalingServer implements SignalingReceiver {
  readonly #hub: Hub;
  /** Open connections with their address; also those that are displaced or unregistered. */
  readonly #open = new Map<SignalingSocket, string>();
  readonly #perAddress = new Map<string, number>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#schedule();
  }

  /** Open connections, also displaced and unregistered ones. */
  get connections(): number {
    return this.#open.size;
  }

  /** Nodes in sight. */
  get nodes(): number {
    return this.#hub.directory.size;
  }

  /** Header in which a proxy names the address of its client, if one does. */
  get addressHeader(): string | undefined {
    return this.#hub.options.addressHeader;
  }

  /** Why no further connection from `address` is accepted, as HTTP status; undefined when it is. */
  refusal(address: string): Refusal | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#hub.options.limits;
    if (this.#closed) return { code: 503, message: "stopping" };
    if (this.#open.size >= maxConnections) return { code: 503, message: "too many connections" };
    if (this.#from(address) < maxConnectionsPerAddress) return undefined;
    return { code: 429, message: "too many connections from this address" };
  }

  /** Takes over an accepted socket; a connection that the node already has ends with 1008 (`spec/protocol.md` §7.1). */
  arrived(socket: Socket, arrival: Arrival, address: string): void {
    const hub = this.#hub;
    const connection = new SignalingSocket(socket, arrival, hub, this);
    this.#open.set(connection, address);
    this.#perAddress.set(address, this.#from(address) + 1);
    hub.log.info("rendezvous.signaling.connected", { peer: connection.key, address });
    enter(hub, connection);
    socket.handle(connection);
  }

  receive(from: SignalingSocket, data: Uint8Array): undefined | Promise<void> {
    return receive(this.#hub, from, data);
  }

  ends(connection: SignalingSocket): void {
    withdraw(this.#hub, connection);
  }

  left(connection: SignalingSocket, { code }: SocketClosed): void {
    const address = this.#open.get(connection) ?? "";
    this.#open.delete(connection);
    const others = this.#from(address) - 1;
    if (others > 0) this.#perAddress.set(address, others);
    else this.#perAddress.delete(address);
    withdraw(this.#hub, connection);
    this.#hub.log.info("rendezvous.signaling.disconnected", {
      peer: connection.key,
      close_code: code,
    });
  }

  /** Ends every connection; nodes come back to the next server. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const connection of this.#open.keys()) connection.close(1001, "server is stopping");
  }

  #from(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  #schedule(): void {
    const { clock, options } = this.#hub;
    this.#timer = clock.timer(clock.now() + options.pingIntervalMs, () => this.#probe());
  }

  #probe(): void {
    const deadline = this.#hub.clock.monotonic() - this.#hub.options.silenceMs;
    for (const connection of this.#open.keys()) connection.probe(deadline);
    this.#schedule();
  }
}
