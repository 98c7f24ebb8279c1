import type { Link } from "../src/ports/transport.ts";
import { peerKey } from "../src/protocol/ids.ts";

/** The open inbound links of a transport by peer, oldest first. */
export class LinkTable {
  readonly #maxPerPeer: number;
  readonly #byPeer = new Map<string, Set<Link>>();
  #size = 0;

  constructor(maxPerPeer: number) {
    this.#maxPerPeer = maxPerPeer;
  }

  get size(): number {
    return this.#size;
  }

  /** Keeps `link` until it closes; beyond the limit the oldest of the same peer has to go, since it is the one likely dead. */
  add(link: Link): void {
    const key = peerKey(link.peer);
    const links = this.#byPeer.get(key) ?? new Set();
    this.#byPeer.set(key, links.add(link));
    this.#size++;
    void link.closed.then(() => this.#remove(key, links, link));
    const [oldest] = links;
    if (oldest !== undefined && links.size > this.#maxPerPeer) {
      this.#remove(key, links, oldest);
      void oldest.close("replaced by a newer connection of the same peer");
    }
  }

  #remove(key: string, links: Set<Link>, link: Link): void {
    if (!links.delete(link)) return;
    this.#size--;
    if (links.size === 0 && this.#byPeer.get(key) === links) this.#byPeer.delete(key);
  }
}
