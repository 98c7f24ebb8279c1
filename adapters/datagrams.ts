import { createSocket, type Socket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { ActrError } from "../src/errors.ts";
import type { DatagramAddress, DatagramSocket, Datagrams } from "../src/ports/datagrams.ts";

/** UDP ports by `node:dgram`, which all three runtimes have. */
export const systemDatagrams: Datagrams = {
  async open({ hostname = "0.0.0.0", port }, received) {
    const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
    await bound(socket, hostname, port);
    // One datagram that cannot be sent says nothing of the next.
    socket.on("error", () => {});
    socket.on("message", (data, from) => received(data, withoutWrapper(from)));
    return new BoundSocket(socket);
  },
};

class BoundSocket implements DatagramSocket {
  readonly #socket: Socket;
  readonly port: number;
  readonly #wraps: boolean;
  #closed: Promise<void> | undefined;

  constructor(socket: Socket) {
    const { port, family } = socket.address() as AddressInfo;
    this.#socket = socket;
    this.port = port;
    this.#wraps = family === "IPv6";
  }

  send(data: Uint8Array, { address, port }: DatagramAddress): void {
    // Anybody can send from port 0, to which nothing can be sent: to try would throw.
    if (this.#closed !== undefined || port === 0) return;
    const to = this.#wraps && !address.includes(":") ? `${wrapper}${address}` : address;
    this.#socket.send(data, port, to, () => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }
}

/** How a port of both families writes IPv4 addresses. */
const wrapper = "::ffff:";

function withoutWrapper({ address, port }: DatagramAddress): DatagramAddress {
  return { port, address: address.startsWith(wrapper) ? address.slice(wrapper.length) : address };
}

function bound(socket: Socket, hostname: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", (cause) => {
      const reason = `UDP port ${port} of ${hostname} cannot be opened: ${cause.message}`;
      reject(new ActrError("unavailable", reason, { cause }));
    });
    socket.bind(port, hostname, resolve);
  });
}
