import type { Link } from "../ports/transport.ts";
import type { Session } from "./session.ts";

/** How long a link may take to show that what was sent on it has arrived, milliseconds. */
const proofMs = 1_000;

/** Moves the requests of sessions to better links, such as WebRTC once it is there. */
export class LinkMigration {
  readonly #drop: (session: Session, link: Link) => void;

  /** @param drop takes a link out of its session and closes it. */
  constructor(drop: (session: Session, link: Link) => void) {
    this.#drop = drop;
  }

  /**
   * Requests leave on the better link once the one used so far has answered a question that went behind the last of
   * them, so that none overtakes another; until then they are held. The one used so far stays as it is, for answers and
   * streams, and for requests should the better one fail.
   */
  async move(session: Session): Promise<void> {
    const left = session.requestLink;
    if (left === undefined) return;
    session.hold();
    const works = await (left.recover?.(proofMs) ?? true);
    session.release();
    if (!works) this.#drop(session, left);
  }
}
