/** Where a datagram comes from, or goes to. */
export interface DatagramAddress {
  /** IPv4 in dotted form, or IPv6; never an IPv4 address inside an IPv6 one. */
  readonly address: string;
  readonly port: number;
}

/** One open UDP port. */
export interface DatagramSocket extends AsyncDisposable {
  readonly port: number;
  /** Sends one datagram; what cannot be sent is lost, as datagrams may be. */
  send(data: Uint8Array, to: DatagramAddress): void;
}

/** Where to listen for datagrams. */
export interface DatagramOptions {
  /** An address of this machine. @default "0.0.0.0" */
  readonly hostname?: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Opens UDP ports. */
export interface Datagrams {
  /** @throws ActrError `unavailable` when the port is taken, or the address is not one of this machine. */
  open(
    options: DatagramOptions,
    received: (data: Uint8Array, from: DatagramAddress) => void,
  ): Promise<DatagramSocket>;
}
