import type { SignalingSocket } from "./signaling_socket.ts";

/** The other servers of a cluster: who tells them of the nodes that are connected here. */
export interface Neighbours {
  /** A node has connected here, and is in sight. */
  arrived(node: SignalingSocket): void;
  /** A node that was in sight here is no more. */
  left(node: SignalingSocket): void;
  /** A node has said how busy it is. */
  reported(node: SignalingSocket): void;
}

/** For a server that is alone. */
export const noNeighbours: Neighbours = {
  arrived() {},
  left() {},
  reported() {},
};
