import { nodeSockets } from "../../adapters/node/sockets.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { LogAttributes, Logger } from "../../src/ports/logger.ts";
import type { HttpServer } from "../../src/ports/sockets.ts";
import type { Store } from "../../src/ports/store.ts";
import type { RendezvousOptions } from "../../src/rendezvous/options.ts";
import { Rendezvous } from "../../src/rendezvous/rendezvous.ts";

/** Keeps every line that is logged. */
export class Lines implements Logger {
  readonly lines: string[] = [];
  enabled(): boolean {
    return true;
  }
  trace = this.#add;
  debug = this.#add;
  info = this.#add;
  warn = this.#add;
  error = this.#add;
  with(): Logger {
    return this;
  }
  #add(this: Lines, event: string, attributes: LogAttributes = {}): void {
    this.lines.push(`${event} ${JSON.stringify(attributes)}`);
  }
}

/** A rendezvous on a port of its own. */
export class Running implements AsyncDisposable {
  readonly base: string;
  readonly rendezvous: Rendezvous;
  readonly log: Lines;
  readonly #http: HttpServer;

  private constructor(rendezvous: Rendezvous, http: HttpServer, log: Lines) {
    this.rendezvous = rendezvous;
    this.#http = http;
    this.log = log;
    this.base = `http://127.0.0.1:${http.port}`;
  }

  static async start(store: Store, options: RendezvousOptions = {}, port = 0): Promise<Running> {
    const log = new Lines();
    const sockets = nodeSockets();
    const components = { store, clock: systemClock(), random: systemRandom(), log, sockets };
    const rendezvous = await Rendezvous.open(components, options);
    const { serve } = sockets;
    if (serve === undefined) throw new TypeError("these sockets cannot serve");
    const http = await serve({
      port,
      hostname: "127.0.0.1",
      fetch: (request, context) => rendezvous.fetch(request, context),
    });
    return new Running(rendezvous, http, log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rendezvous[Symbol.asyncDispose]();
    await this.#http.close();
  }
}
