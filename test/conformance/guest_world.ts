import type {
  EntryOutcome,
  GuestCode,
  GuestEntry,
  GuestHost,
  GuestImage,
  GuestInstance,
  GuestLimits,
  HostAnswer,
  HostCall,
  HostCalls,
} from "../../src/ports/guest_host.ts";

/** A host of guests under test, and a guest for it that does what `test/fixtures/guests/probe_guest.ts` says. */
export interface GuestHostFixture extends AsyncDisposable {
  readonly host: GuestHost;
  readonly probe: GuestCode;
}

export const never: AbortSignal = new AbortController().signal;

/** Limits that end a guest which does wrong within a moment. */
export const guestLimits: GuestLimits = {
  fuel: 20_000_000,
  memoryBytes: 32 * 1024 * 1024,
  tableElements: 10_000,
  stackBytes: 256 * 1024,
  codeBytes: 4 * 1024 * 1024,
};

export const selfId = {
  realm: 4_294_967_295,
  serial: 18_446_744_073_709_551_615n,
  type: { manufacturer: "acme", name: "probé", version: "1.0.0-β" },
};

export const callerId = {
  realm: 7,
  serial: 9n,
  type: { manufacturer: "other", name: "caller", version: "" },
};

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** One image of a probe and instances of it, whose calls the test answers. */
export class GuestWorld implements AsyncDisposable {
  readonly #fixture: GuestHostFixture;
  readonly #image: GuestImage;
  readonly #instances: GuestInstance[] = [];
  /** All calls of all instances, in order. */
  readonly calls: HostCall[] = [];
  /** What calls are answered. */
  answer: HostCalls = (call) => ({ ok: "payload" in call ? call.payload : undefined });
  #token = 0n;

  private constructor(fixture: GuestHostFixture, image: GuestImage) {
    this.#fixture = fixture;
    this.#image = image;
  }

  static async open(
    open: () => Promise<GuestHostFixture>,
    limits: Partial<GuestLimits> = {},
  ): Promise<GuestWorld> {
    const fixture = await open();
    const image = await fixture.host.load(fixture.probe, { ...guestLimits, ...limits }, never);
    return new GuestWorld(fixture, image);
  }

  async instance(): Promise<ProbeInstance> {
    const calls: HostCalls = (call) => {
      this.calls.push(call);
      return this.answer(call);
    };
    const instance = await this.#image.instantiate(calls, never);
    this.#instances.push(instance);
    return new ProbeInstance(instance, () => ++this.#token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.#instances) instance.discard();
    await this.#image[Symbol.asyncDispose]();
    await this.#fixture[Symbol.asyncDispose]();
  }
}

/** One instance, entered by what matters of an entry. */
export class ProbeInstance {
  readonly instance: GuestInstance;
  readonly #nextToken: () => bigint;

  constructor(instance: GuestInstance, nextToken: () => bigint) {
    this.instance = instance;
    this.#nextToken = nextToken;
  }

  /** A request of `caller`. */
  dispatch(routeKey: string, payload: Uint8Array = new Uint8Array()): Promise<EntryOutcome> {
    const envelope = { requestId: "request", routeKey, payload };
    return this.instance.enter(
      { name: "dispatch", envelope },
      { token: this.#nextToken(), selfId, callerId, requestId: "request" },
    );
  }

  /** Any other entry, under a request id that is its name. */
  enter(entry: GuestEntry): Promise<EntryOutcome> {
    const caller = entry.name === "on-data-chunk" ? { callerId: entry.sender } : {};
    const invocation = { token: this.#nextToken(), selfId, requestId: entry.name, ...caller };
    return this.instance.enter(entry, invocation);
  }
}

/** Answers that the test gives when it likes. */
export class LateAnswers {
  readonly #waiting: { call: HostCall; resolve: (answer: HostAnswer) => void }[] = [];
  readonly #arrivals: (() => void)[] = [];

  readonly ask = (call: HostCall): Promise<HostAnswer> =>
    new Promise((resolve) => {
      this.#waiting.push({ call, resolve });
      for (const arrived of this.#arrivals.splice(0)) arrived();
    });

  /** Once so many calls wait. */
  async arrived(count: number): Promise<void> {
    while (this.#waiting.length < count) {
      await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    }
  }

  /** Answers the call that has waited for the longest, or the one at `index`. */
  give(answer: HostAnswer, index = 0): void {
    this.#waiting.splice(index, 1)[0]?.resolve(answer);
  }
}
