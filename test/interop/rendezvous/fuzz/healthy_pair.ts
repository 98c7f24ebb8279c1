import { randomUUID } from "node:crypto";
import { writeCredential } from "../../peer/identity.ts";
import { Inbox } from "../../peer/inbox.ts";
import { Writer } from "../../peer/protobuf.ts";
import { register } from "../../peer/registration.ts";
import { Connection } from "../connection.ts";
import { blankCredential, flows, Received, relays } from "../envelope.ts";
import { realm } from "../joining.ts";
import { isFor, isNode } from "./intruder.ts";

const blank = Buffer.from(writeCredential(blankCredential).done());
/** Flows that a relay must not be mixed with. */
const otherFlows = [10, flows.toServer, flows.toActr, flows.error];

/** Two nodes that go about their business while others misbehave, and complain of all that is not as it should be. */
export class HealthyPair implements AsyncDisposable {
  /** In every message of one to the other. */
  readonly secret = `for the other alone: ${randomUUID()}`;
  readonly complaints: string[] = [];
  /** Relays of intruders that came through. */
  disturbed = 0;
  readonly one: Connection;
  readonly other: Connection;
  readonly #relayed = new Inbox<number>();
  #rounds = 0;

  private constructor(one: Connection, other: Connection) {
    this.one = one;
    this.other = other;
    for (const each of [one, other]) {
      each.socket.onMessage = (message) => this.#take(each, new Received(message));
      void each.socket.closed.then(({ code }) =>
        this.complaints.push(`a socket ended with ${code}`),
      );
    }
  }

  static async start(ais: string, signaling: string, type: string): Promise<HealthyPair> {
    const open = async (): Promise<Connection> =>
      await Connection.open(signaling, await register(ais, { type, realm }));
    return new HealthyPair(await open(), await open());
  }

  /** One pings, then relays to the other; how long each took, milliseconds. */
  async round(): Promise<{ pingMs: number; relayMs: number }> {
    const began = performance.now();
    await this.one.settle();
    const between = performance.now();
    const number = ++this.#rounds;
    const body = new Writer().text(1, `${this.secret} ${number}`);
    this.one.relay(this.other.id, relays.candidate, body);
    await this.#relayed.take(`relay ${number}`, (each) => each === number);
    return { pingMs: between - began, relayMs: performance.now() - between };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [this.one, this.other]) each.socket.destroy();
  }

  #take(node: Connection, received: Received): void {
    if (!isFor(node.id, received)) this.complaints.push(`got what is not for it: ${hex(received)}`);
    if (received.error !== undefined)
      this.complaints.push(`was told ${received.error.code} ${received.error.message}`);
    if (received.relay === undefined) node.inbox.push(received);
    else this.#takeRelay(node, received);
  }

  #takeRelay(node: Connection, received: Received): void {
    const { relay, numbers } = received;
    if (relay?.all(2).length !== 1 || !blank.equals(relay.bytes(2) ?? blank.subarray(1)))
      this.complaints.push(`got a credential: ${hex(received)}`);
    if (numbers.some((number) => otherFlows.includes(number)))
      this.complaints.push(`got two flows at once: ${hex(received)}`);
    if (isNode(this.one.id, relay?.message(1))) this.#takeOwn(node, received);
    else this.disturbed += 1;
  }

  /** What names the first of the pair as its source must be what that has sent. */
  #takeOwn(node: Connection, received: Received): void {
    const text = received.relay?.message(relays.candidate)?.text(1) ?? "";
    const number = Number(text.slice(this.secret.length));
    const isTrue =
      node === this.other && text === `${this.secret} ${number}` && number <= this.#rounds;
    if (isTrue) this.#relayed.push(number);
    else this.complaints.push(`got what was never sent: ${hex(received)}`);
  }
}

function hex({ bytes }: Received): string {
  return Buffer.from(bytes).toString("hex");
}
