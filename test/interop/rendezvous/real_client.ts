import { delay } from "#async";
import { idText } from "../peer/identity.ts";
import {
  Refused,
  type Registered,
  type Registration,
  register,
  reissue,
  renew,
} from "../peer/registration.ts";
import { UpgradeRefused } from "../peer/websocket_handshake.ts";
import { Connection, idlePing } from "./connection.ts";
import { answers, requests } from "./envelope.ts";

/** Where a real client lives, and as what. */
export interface RealClientSettings extends Registration {
  readonly ais: string;
  readonly signaling: string;
  /** `membership_controller_enabled`, which no shipped client has on. @default false */
  readonly membership?: boolean;
}

/** What stands for one second of the real client's pauses, milliseconds. */
const secondMs = 20;
/** Pauses before each attempt, seconds: at the start, where it goes on until it is in, and after a lost socket. */
const startPauses = [0, 1, 2];
const lossPauses = [0.01, 1, 2.5];

/**
 * A node as the real client was seen to be (`spec/real-client.md`): when it registers, connects, renews, and when it
 * does not. A heartbeat comes when the test says so; nothing else does.
 */
export class RealClient implements AsyncDisposable {
  /** What it did to the server and what came of it, in order. */
  readonly journal: string[] = [];
  registered!: Registered;
  /** Resolves when it is connected for the first time. */
  readonly started: Promise<void>;
  /** Whether it still discovers and calls: a renewal that was answered 403 ends that. */
  isReady = true;
  readonly #settings: RealClientSettings;
  #connection: Connection | undefined;
  #coming: Promise<void> = Promise.resolve();
  #stopped = false;

  /** Registers once, then connects for as long as it takes. */
  constructor(settings: RealClientSettings) {
    this.#settings = settings;
    this.started = this.#start();
    this.started.catch(() => {}); // Told to whoever waits for it.
  }

  /** The same, waiting until it is connected. @throws Refused. */
  static async start(settings: RealClientSettings): Promise<RealClient> {
    const client = new RealClient(settings);
    await client.started;
    return client;
  }

  /** Its id in text. */
  get id(): string {
    return idText(this.registered.id);
  }

  /** The socket that it has. @throws Error while it has none. */
  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("the client is not connected");
    return this.#connection;
  }

  /** Resolves when it has come back after a loss, or has given up until the next heartbeat. */
  get returned(): Promise<void> {
    return this.#coming;
  }

  /** Resolves when it has lost a socket and has tried to come back, at a heartbeat at last. */
  async recovered(lost: Connection): Promise<void> {
    await lost.socket.closed;
    await this.#coming;
    if (this.#connection === undefined) await this.heartbeat();
  }

  /** Pings; without a socket it tries to connect instead. */
  async heartbeat(): Promise<void> {
    await this.#coming;
    const connection = this.#connection;
    if (connection === undefined) return void (await this.#attempt());
    const { told, error } = await connection.request(requests.ping, idlePing());
    const pong = told.message(answers.pong);
    const warned = pong?.has(3) === true;
    this.journal.push(`ping ${error?.code ?? (warned ? "pong with a warning" : "pong")}`);
    if (warned || error?.code === 401) await this.renew();
  }

  /** Asks for a new credential, and does what the answer makes the real client do. */
  async renew(): Promise<void> {
    const { ais } = this.#settings;
    const { id, renewalToken = new Uint8Array(0) } = this.registered;
    const code = await this.#issued("renew", renew(ais, id, renewalToken));
    if (code === 403) this.isReady = false;
    if (code !== 401) return; // Of 429, 500 and no answer it makes nothing until the next trigger.
    if (this.#settings.membership !== true) return await this.#rebind();
    await this.#issued("reissue", reissue(ais, id, renewalToken, this.#settings));
  }

  /** Ends without a word, as its process does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#connection?.[Symbol.asyncDispose]();
    await this.#coming;
  }

  async #start(): Promise<void> {
    const { ais } = this.#settings;
    this.registered = await register(ais, this.#settings);
    this.journal.push("register");
    for (let attempt = 0; !this.#stopped; attempt += 1) {
      await delay(secondMs * (startPauses[attempt] ?? 2));
      if (await this.#attempt()) return;
    }
  }

  /** Takes over the credential that is asked for; the code when it is refused. */
  async #issued(what: string, asked: Promise<Registered>): Promise<number> {
    try {
      const registered = await asked;
      this.journal.push(`${what} 200`);
      if (idText(registered.id) !== this.id) return 200; // Discarded.
      this.registered = registered;
      if (this.#connection !== undefined) this.#connection.sender = registered;
      return 200;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.journal.push(`${what} ${error.code}`);
      return error.code;
    }
  }

  /** Registers anew by the request that it began with, and comes back under another id. */
  async #rebind(): Promise<void> {
    this.registered = await register(this.#settings.ais, this.#settings);
    this.journal.push("register");
    const before = this.#connection;
    this.#connection = undefined;
    before?.socket.close();
    await delay(secondMs * 0.01);
    await this.#attempt();
  }

  async #attempt(): Promise<boolean> {
    try {
      this.#connected(await Connection.open(this.#settings.signaling, this.registered));
      this.journal.push("upgrade");
      return true;
    } catch (error) {
      const status = error instanceof UpgradeRefused ? error.status : "failed";
      this.journal.push(`upgrade ${status}`);
      if (status !== 401 || this.#settings.membership !== true) return false;
      const { id, renewalToken = new Uint8Array(0) } = this.registered;
      const code = await this.#issued("renew", renew(this.#settings.ais, id, renewalToken));
      return code === 200 && (await this.#attempt());
    }
  }

  #connected(connection: Connection): void {
    this.#connection = connection;
    void connection.socket.closed.then(() => {
      if (this.#stopped || this.#connection !== connection) return;
      this.#connection = undefined;
      this.#coming = this.#return();
    });
  }

  async #return(): Promise<void> {
    for (const pause of lossPauses) {
      await delay(secondMs * pause);
      if (this.#stopped || (await this.#attempt())) return;
    }
  }
}
