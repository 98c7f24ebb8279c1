import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import {
  abortable,
  deadline,
  debounce,
  delay,
  ERROR_WHILE_MAPPING_MESSAGE,
  pooledMap,
  RetryError,
  retry,
} from "#async";

/** Lets everything that waits on settled promises go on. */
async function flush(): Promise<void> {
  for (let n = 0; n < 50; n++) await Promise.resolve();
}

async function advance(ms: number): Promise<void> {
  await flush();
  mock.timers.tick(ms);
  await flush();
}

/** Follows a promise without waiting for it. */
function watch<T>(promise: Promise<T>): { state: string; value?: T; error?: unknown } {
  const seen: { state: string; value?: T; error?: unknown } = { state: "pending" };
  promise.then(
    (value) => Object.assign(seen, { state: "resolved", value }),
    (error) => Object.assign(seen, { state: "rejected", error }),
  );
  return seen;
}

const never = new Promise<never>(() => {});

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

describe("delay", () => {
  it("resolves after the given time, not before", async () => {
    const seen = watch(delay(100));
    await advance(99);
    assert.equal(seen.state, "pending");
    await advance(1);
    assert.equal(seen.state, "resolved");
  });

  it("takes a negative or missing time as none", async () => {
    const seen = [watch(delay(-5)), watch(delay(Number.NaN))];
    await advance(1);
    assert.deepEqual(
      seen.map((s) => s.state),
      ["resolved", "resolved"],
    );
  });

  it("outlasts the longest timer of the runtime", async () => {
    const longest = 2 ** 31 - 1;
    const seen = watch(delay(longest + 10));
    await advance(longest);
    assert.equal(seen.state, "pending");
    await advance(10);
    assert.equal(seen.state, "resolved");
  });

  it("rejects with the signal's reason when aborted", async () => {
    const controller = new AbortController();
    const seen = watch(delay(100, { signal: controller.signal }));
    const reason = new Error("enough");
    controller.abort(reason);
    await flush();
    assert.equal(seen.error, reason);
  });

  it("rejects at once for a signal that is aborted already", async () => {
    await assert.rejects(delay(100, { signal: AbortSignal.abort() }), { name: "AbortError" });
  });

  it("ignores a signal that aborts afterwards", async () => {
    const controller = new AbortController();
    const seen = watch(delay(10, { signal: controller.signal }));
    await advance(10);
    controller.abort();
    await flush();
    assert.equal(seen.state, "resolved");
  });

  it("accepts a timer that does not keep the process alive", async () => {
    mock.timers.reset();
    await Promise.all([delay(1, { persistent: false }), delay(5)]);
    mock.timers.enable({ apis: ["setTimeout"] });
  });
});

describe("abortable promise", () => {
  it("passes the value on", async () => {
    assert.equal(await abortable(Promise.resolve(7), new AbortController().signal), 7);
  });

  it("passes a rejection on", async () => {
    const failure = Promise.reject(new Error("inner"));
    await assert.rejects(abortable(failure, new AbortController().signal), { message: "inner" });
  });

  it("rejects with the reason once aborted", async () => {
    const controller = new AbortController();
    const seen = watch(abortable(never, controller.signal));
    await flush();
    controller.abort("why");
    await flush();
    assert.deepEqual(seen, { state: "rejected", error: "why" });
  });

  it("leaves no unhandled rejection behind when the signal is aborted already", async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", listener);
    const failure = Promise.reject(new Error("late"));
    await assert.rejects(abortable(failure, AbortSignal.abort(new Error("why"))), /why/);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listener);
    assert.deepEqual(unhandled, []);
  });

  it("rejects for a signal that is aborted already, even if the value is there", async () => {
    await assert.rejects(abortable(Promise.resolve(1), AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});

describe("abortable iterable", () => {
  async function* hello(end: Promise<unknown>): AsyncGenerator<string> {
    yield "Hello";
    await end;
    yield "World";
  }

  it("passes all values on", async () => {
    const items: string[] = [];
    const signal = new AbortController().signal;
    for await (const item of abortable(hello(Promise.resolve()), signal)) items.push(item);
    assert.deepEqual(items, ["Hello", "World"]);
  });

  it("throws the reason after the values that came before the abort", async () => {
    const controller = new AbortController();
    const items: string[] = [];
    const seen = watch(
      (async () => {
        for await (const item of abortable(hello(never), controller.signal)) items.push(item);
      })(),
    );
    await flush();
    controller.abort("why");
    await flush();
    assert.deepEqual(items, ["Hello"]);
    assert.equal(seen.error, "why");
  });

  it("throws at the first step for a signal that is aborted already", async () => {
    const iterator = abortable(hello(never), AbortSignal.abort("why"));
    await assert.rejects(iterator.next(), (error) => error === "why");
  });

  it("closes the source when the consumer leaves", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        closed = true;
      }
    }
    for await (const n of abortable(source(), new AbortController().signal)) if (n === 2) break;
    await flush();
    assert.equal(closed, true);
  });
});

describe("deadline", () => {
  it("passes a value that comes in time on", async () => {
    assert.equal(await deadline(Promise.resolve(3), 10), 3);
  });

  it("passes a rejection on", async () => {
    await assert.rejects(deadline(Promise.reject(new Error("inner")), 10), { message: "inner" });
  });

  it("rejects with a TimeoutError when the time is over", async () => {
    const seen = watch(deadline(never, 50));
    await advance(49);
    assert.equal(seen.state, "pending");
    await advance(1);
    assert.ok(seen.error instanceof DOMException);
    assert.equal(seen.error.name, "TimeoutError");
  });

  it("rejects with the reason of an aborted signal", async () => {
    const controller = new AbortController();
    const seen = watch(deadline(never, 50, { signal: controller.signal }));
    await flush();
    controller.abort("why");
    await flush();
    assert.equal(seen.error, "why");
  });
});

describe("retry", () => {
  /** Fails `failures` times, then answers. */
  function flaky(failures: number): (() => string) & { calls: number } {
    const fn = (): string => {
      fn.calls++;
      if (fn.calls <= failures) throw new Error(`failure ${fn.calls}`);
      return "answer";
    };
    fn.calls = 0;
    return fn;
  }

  it("answers with the first success of a plain or an asynchronous function", async () => {
    assert.equal(await retry(flaky(0)), "answer");
    assert.equal(await retry(async () => "later"), "later");
  });

  it("waits 1, 2, 4 and 8 s between five attempts without jitter", async () => {
    const fn = flaky(Number.POSITIVE_INFINITY);
    const seen = watch(retry(fn, { jitter: 0 }));
    for (const [index, ms] of [1_000, 2_000, 4_000, 8_000].entries()) {
      await advance(ms - 1);
      assert.equal(fn.calls, index + 1);
      await advance(1);
      assert.equal(fn.calls, index + 2);
    }
    assert.ok(seen.error instanceof RetryError);
    assert.equal(seen.error.message, "Retrying exceeded the maxAttempts (5).");
    assert.equal((seen.error.cause as Error).message, "failure 5");
  });

  it("never waits longer than maxTimeout", async () => {
    const fn = flaky(2);
    const seen = watch(retry(fn, { jitter: 0, minTimeout: 10, multiplier: 100, maxTimeout: 30 }));
    await advance(10);
    await advance(29);
    assert.equal(seen.state, "pending");
    await advance(1);
    assert.equal(seen.value, "answer");
  });

  it("waits between nothing and the full time with full jitter", async () => {
    const chance = mock.method(Math, "random", () => 0.75);
    const seen = watch(retry(flaky(1), { minTimeout: 100 }));
    await advance(24);
    assert.equal(seen.state, "pending");
    await advance(1);
    assert.equal(seen.value, "answer");
    chance.mock.restore();
  });

  it("throws an error that is not retriable as it is", async () => {
    const fn = flaky(3);
    await assert.rejects(retry(fn, { isRetriable: () => false }), { message: "failure 1" });
    assert.equal(fn.calls, 1);
  });

  const impossible = [
    { maxAttempts: 0 },
    { maxAttempts: 1.5 },
    { multiplier: 0.5 },
    { multiplier: Number.POSITIVE_INFINITY },
    { maxTimeout: 0 },
    { minTimeout: -1 },
    { minTimeout: 20, maxTimeout: 10 },
    { jitter: 1.1 },
    { jitter: Number.NaN },
  ];
  for (const options of impossible) {
    it(`rejects ${JSON.stringify(options)}`, async () => {
      const fn = flaky(0);
      await assert.rejects(retry(fn, options), RangeError);
      assert.equal(fn.calls, 0);
    });
  }
});

describe("debounce", () => {
  it("makes one call, with the last arguments, once the calls have paused", async () => {
    const calls: string[] = [];
    const call = debounce((text: string) => void calls.push(text), 100);
    call("a");
    await advance(99);
    call("b");
    await advance(99);
    assert.deepEqual(calls, []);
    assert.equal(call.pending, true);
    await advance(1);
    assert.deepEqual(calls, ["b"]);
    assert.equal(call.pending, false);
  });

  it("forgets the waiting call on clear", async () => {
    const calls: number[] = [];
    const call = debounce(() => void calls.push(1), 10);
    call();
    call.clear();
    assert.equal(call.pending, false);
    await advance(20);
    assert.deepEqual(calls, []);
  });

  it("makes the waiting call at once on flush, and none if none waits", async () => {
    const calls: number[] = [];
    const call = debounce((n: number) => void calls.push(n), 10);
    call.flush();
    call(1);
    call.flush();
    call.flush();
    await advance(20);
    assert.deepEqual(calls, [1]);
  });

  it("gives the function itself as `this`, ready for another call", async () => {
    const calls: boolean[] = [];
    const call = debounce(function () {
      calls.push(this.pending);
      if (calls.length < 2) this();
    }, 10);
    call();
    await advance(10);
    await advance(10);
    assert.deepEqual(calls, [false, false]);
  });
});

describe("pooledMap", () => {
  async function collect<T>(values: AsyncIterable<T>): Promise<{ got: T[]; error?: unknown }> {
    const got: T[] = [];
    try {
      for await (const value of values) got.push(value);
      return { got };
    } catch (error) {
      return { got, error };
    }
  }

  it("yields in the order of the input, whatever finishes first", async () => {
    const seen = watch(collect(pooledMap(3, [30, 10, 20], (ms) => delay(ms).then(() => ms))));
    await advance(30);
    assert.deepEqual(seen.value, { got: [30, 10, 20] });
  });

  it("never has more calls under way than the limit, and refills it", async () => {
    let running = 0;
    let most = 0;
    const map = async (n: number): Promise<number> => {
      most = Math.max(most, ++running);
      await delay(10);
      running--;
      return n * 2;
    };
    const seen = watch(collect(pooledMap(2, [1, 2, 3, 4, 5], map)));
    for (let n = 0; n < 3; n++) await advance(10);
    assert.deepEqual(seen.value, { got: [2, 4, 6, 8, 10] });
    assert.equal(most, 2);
  });

  it("takes an async iterable and begins before anyone reads", async () => {
    const begun: number[] = [];
    async function* source(): AsyncGenerator<number> {
      yield 1;
      yield 2;
    }
    const results = pooledMap(1, source(), async (n) => void begun.push(n));
    await flush();
    assert.deepEqual(begun, [1, 2]);
    assert.equal((await collect(results)).got.length, 2);
  });

  it("yields nothing for an empty input", async () => {
    assert.deepEqual(await collect(pooledMap(2, [], async () => 1)), { got: [] });
  });

  it("begins nothing after a failure, yields what succeeded, then throws all failures", async () => {
    const begun: number[] = [];
    const map = async (n: number): Promise<number> => {
      begun.push(n);
      await delay(n);
      if (n !== 2) throw new Error(`bad ${n}`);
      return n;
    };
    const seen = watch(collect(pooledMap(3, [1, 2, 3, 4, 5], map)));
    for (let n = 0; n < 5; n++) await advance(1);
    assert.deepEqual(begun, [1, 2, 3]);
    assert.deepEqual(seen.value?.got, [2]);
    const { error } = seen.value ?? {};
    assert.ok(error instanceof AggregateError);
    assert.equal(error.message, ERROR_WHILE_MAPPING_MESSAGE);
    assert.deepEqual(error.errors.map(String), ["Error: bad 1", "Error: bad 3"]);
  });
});
