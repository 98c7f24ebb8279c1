import { type ActrId, idText } from "../peer/identity.ts";
import { Inbox } from "../peer/inbox.ts";
import { idFor, issueFor, renewedId, writeIssue } from "./issuing.ts";
import { type Answer, type Asked, Listener } from "./listener.ts";
import { Session } from "./session.ts";

const octets = { "content-type": "application/octet-stream" };

/** Answers one registration, renewal or reissue. */
export type Issuing = (request: Asked, actrix: Actrix) => Answer;

/**
 * What a node meets that lives on a real actrix, written from the specification alone (`spec/protocol.md` §6, §7): an identity
 * service and a signaling socket, which answer as the real ones do, or as a test says.
 */
export class Actrix implements AsyncDisposable {
  /** Every request to the identity service, answered already. */
  readonly posts: Asked[] = [];
  /** Every upgrade that was asked for, accepted or not. */
  readonly upgrades: Asked[] = [];
  readonly sessions = new Inbox<Session>();
  /** The serial number that the next registration gets. */
  serial = 0x1a2b3cn;
  register: Issuing = registered;
  renew: Issuing = renewed;
  /** What the newer ones have. */
  reissue: Issuing = () => ({ status: 404 });
  /** Whether new connections have pings and farewells answered without the test. */
  answers = true;
  /** The status that refuses the next upgrades. */
  refuses: number | undefined;
  readonly #known = new Map<string, ActrId>();
  #listener: Listener | undefined;

  static async start(): Promise<Actrix> {
    const actrix = new Actrix();
    actrix.#listener = await Listener.open({
      asked: (request) => actrix.#asked(request),
      upgrade: (request) => {
        actrix.upgrades.push(request);
        return actrix.refuses;
      },
      opened: (socket, { target }) => {
        const name = new URL(target, "http://host").searchParams.get("actor_id") ?? "";
        const id = actrix.#known.get(name);
        if (id === undefined) return socket.destroy();
        const session = new Session(socket, target, id);
        session.answers = actrix.answers;
        actrix.sessions.push(session);
      },
    });
    return actrix;
  }

  get host(): string {
    return `127.0.0.1:${this.#listener?.port}`;
  }

  /** Base address of the identity service, as the real one is configured. */
  get ais(): string {
    return `http://${this.host}/ais`;
  }

  get signaling(): string {
    return `ws://${this.host}/signaling/ws`;
  }

  /** The next signaling connection. */
  session(): Promise<Session> {
    return this.sessions.take("a signaling connection", () => true, 45_000);
  }

  /** Paths of the requests to the identity service. */
  get paths(): string[] {
    return this.posts.map(({ target }) => target);
  }

  /** A new identity for whoever registers so. */
  admit(body: Uint8Array): ActrId {
    const id = idFor(body, this.serial++);
    this.#known.set(idText(id), id);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]();
  }

  #asked(request: Asked): Answer {
    this.posts.push(request);
    if (request.method !== "POST") return { status: 405 };
    if (request.target === "/ais/register") return this.register(request, this);
    if (request.target === "/ais/reissue") return this.reissue(request, this);
    return request.target === "/ais/renew" ? this.renew(request, this) : { status: 404 };
  }
}

function registered({ body }: Asked, actrix: Actrix): Answer {
  return { status: 200, headers: octets, body: writeIssue(issueFor(actrix.admit(body))) };
}

/** The same id with another credential and the next token: the answer of a renewal, and of a reissue. */
export function renewed({ body }: Asked): Answer {
  const issue = issueFor(renewedId(body));
  return {
    status: 200,
    headers: { "content-type": "application/x-protobuf" },
    body: writeIssue(issue),
  };
}
