import { Session } from "node:inspector/promises";
import { intervalUs } from "./shares.ts";
import { type Profile, type StageTimes, timesOf } from "./stages.ts";

/** Samples what this process does, between two questions of its parent. Node only: the other runtimes give no such profile of themselves. */
export class Profiler {
  readonly #session = new Session();

  async start(): Promise<null> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.setSamplingInterval", { interval: intervalUs });
    await this.#session.post("Profiler.start");
    return null;
  }

  async stop(): Promise<StageTimes> {
    const { profile } = (await this.#session.post("Profiler.stop")) as { profile: Profile };
    this.#session.disconnect();
    return timesOf(profile);
  }
}
