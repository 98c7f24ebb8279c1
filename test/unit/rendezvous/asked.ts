import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { decode, RegisterAuthMode, RegisterResponseSchema } from "../../../src/protocol/schema.ts";
import type { RendezvousOptions } from "../../../src/rendezvous/options.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";
import { Lines } from "../../integration/rendezvous_server.ts";
import { registration } from "./ais_world.ts";
import { target } from "./maker.ts";

const context = { remoteAddress: "10.0.0.9" };

/** An answer in JSON. */
export interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A rendezvous that is asked without a network. */
export class Asked implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly log: Lines;
  readonly #rendezvous: Rendezvous;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(
    { clock, log }: { readonly clock: FakeClock; readonly log: Lines },
    rendezvous: Rendezvous,
    adminToken: string | undefined,
  ) {
    this.clock = clock;
    this.log = log;
    this.#rendezvous = rendezvous;
    this.#headers = adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` };
  }

  /** Whoever asks has the token of operators, where there is one. */
  static async open(options: RendezvousOptions): Promise<Asked> {
    const [store, clock, log] = [new MemoryStore(), new FakeClock(), new Lines()];
    const components = { store, clock, random: new SeededRandom(), log };
    const rendezvous = await Rendezvous.open(components, options);
    return new Asked(components, rendezvous, options.adminToken);
  }

  get(path: string): Promise<Told> {
    return this.#ask(path, {});
  }

  /** @param body a text is sent as it is. */
  post(path: string, body: unknown = {}): Promise<Told> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.#ask(path, { method: "POST", body: text });
  }

  /** The code of the answer to a package that registers with its manifest alone. */
  async enter(manifest: string): Promise<number> {
    const fields = { authMode: RegisterAuthMode.PACKAGE, target, manifestRaw: utf8(manifest) };
    const body = registration(fields) as Uint8Array<ArrayBuffer>;
    const response = await this.#fetch("/ais/register", { method: "POST", body });
    const { result } = decode(RegisterResponseSchema, new Uint8Array(await response.arrayBuffer()));
    return result.case === "error" ? result.value.code : 200;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rendezvous[Symbol.asyncDispose]();
  }

  async #ask(path: string, init: RequestInit): Promise<Told> {
    const response = await this.#fetch(path, { ...init, headers: this.#headers });
    return { status: response.status, body: (await response.json()) as Told["body"] };
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    return await this.#rendezvous.fetch(new Request(`http://server${path}`, init), context);
  }
}
