import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { checkDriver } from "../../adapters/sql/check.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Context } from "../../src/context.ts";
import { defineNode, service } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import type { OutboundOptions } from "../../src/options.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import { type LocalBinding, localBindings } from "../adapters/sql_bindings.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { FailingDriver } from "./failing_driver.ts";
import { cannotMount, smallDisk } from "./small_disk.ts";

/** What every effect takes of the disk, bytes. */
const effectBytes = 32 * 1024;
/** More than the small disk holds. */
const mostEntries = 400;
const recoveryLimitMs = 15_000;

/** Has an effect that takes room. */
async function add({ id }: { readonly id: string }, c: Context) {
  const times = ((await c.state.get(id))?.[0] ?? 0) + 1;
  c.state.put(id, new Uint8Array(effectBytes).fill(times));
  return { times };
}

const ledger = service(LedgerService, {
  handlers: { add, addDurable: add, read: () => ({ times: 0 }) },
  methods: { addDurable: { durable: true } },
});

async function serveQuietly(
  app: Parameters<typeof defineNode>[0],
  options: { readonly store?: Store; readonly identity?: string } = {},
): Promise<Served> {
  const { serve } = await adapter();
  const place = { port: 0, hostname: "127.0.0.1", log: silentLogger() };
  return serve(defineNode(app), { ...place, ...options });
}

const calling = (outbound: Partial<OutboundOptions>) => ({ options: { outbound } });

/** A database that can be made unable to write. */
interface Trouble {
  readonly open: () => Promise<SqlDriver>;
  begin(): void;
  end(): Promise<void>;
  /** How the node tells it. */
  readonly reason: RegExp;
}

const ways = ["add", "addDurable"] as const;
type Way = (typeof ways)[number];

/** A node on a database in trouble, one who takes the first refusal for an answer, and one who tries again. */
class World implements AsyncDisposable {
  readonly acknowledged: string[] = [];
  readonly #served: Served;
  readonly #hasty: Served;
  readonly #patient: Served;
  readonly #store: Store;

  private constructor(served: Served, hasty: Served, patient: Served, store: Store) {
    this.#served = served;
    this.#hasty = hasty;
    this.#patient = patient;
    this.#store = store;
  }

  static async open(driver: SqlDriver): Promise<World> {
    const store = await openStore(driver);
    const hasty = await serveQuietly(calling({ reliableAttempts: 1 }));
    const { identity } = hasty;
    const patience = { reliableAttempts: 1000, reliablePausesMs: [100] };
    const patient = await serveQuietly(calling(patience), { identity });
    const app = { type: "test:Ledger:1.0.0", services: [ledger] };
    return new World(await serveQuietly(app, { store, identity }), hasty, patient, store);
  }

  /** Sends an entry; why it was refused, if it was. */
  send(way: Way, id: string): Promise<ActrError | undefined> {
    return this.#add(this.#hasty, way, id);
  }

  /** Sends an entry again until it is answered. */
  async insist(way: Way, id: string): Promise<void> {
    const error = await this.#add(this.#patient, way, id);
    if (error !== undefined) throw error;
  }

  /** Asks something that needs no disk. */
  async ask(): Promise<void> {
    await this.#hasty.context.service(LedgerService, this.#served.id).read({ id: "" });
  }

  /** Why the node is not ready; undefined when it is. */
  async notReady(): Promise<string | undefined> {
    const response = await fetch(`${this.#served.url}/readyz`);
    if (response.status === 200) return void (await response.body?.cancel());
    assert.equal(response.status, 503);
    return ((await response.json()) as { readonly reasons: string[] }).reasons.join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of [this.#served, this.#patient, this.#hasty]) await stop();
    await this.#store.close();
  }

  async #add({ context }: Served, way: Way, id: string): Promise<ActrError | undefined> {
    try {
      const service = context.service(LedgerService, this.#served.id);
      assert.equal((await service[way]({ id }, { timeoutMs: 30_000 })).times, 1);
      this.acknowledged.push(id);
      return undefined;
    } catch (error) {
      if (ActrError.is(error)) return error;
      throw error;
    }
  }
}

function openStore(driver: SqlDriver): Promise<Store> {
  const options = { clock: systemClock(), random: systemRandom() };
  return openSqlStore(driver, options, AbortSignal.timeout(20_000));
}

function assertRefused(error: ActrError | undefined): void {
  assert.ok(error?.retryable, `${error}`);
  assert.match(error.code, /^(unavailable|storage)$/);
}

/** A node in trouble refuses what it could not keep, says why, and works again by itself. */
async function goThrough(trouble: Trouble): Promise<void> {
  let acknowledged: readonly string[];
  {
    await using world = await World.open(await trouble.open());
    for (const way of ways) assert.equal(await world.send(way, `before-${way}`), undefined);
    assert.equal(await world.notReady(), undefined);
    trouble.begin();
    assertRefused(await sendUntilRefused(world));
    assert.match((await world.notReady()) ?? "", trouble.reason);
    await checkRefusals(world);
    const waiting = ways.map((way) => world.insist(way, `patient-${way}`));
    await trouble.end();
    const isReady = async (): Promise<boolean> => (await world.notReady()) === undefined;
    await until("the node is ready again", isReady, recoveryLimitMs);
    await Promise.all(waiting);
    for (const way of ways) assert.equal(await world.send(way, `after-${way}`), undefined);
    acknowledged = world.acknowledged;
  }
  await examine(trouble, acknowledged);
}

async function sendUntilRefused(world: World): Promise<ActrError | undefined> {
  for (let n = 0; n < mostEntries; n++) {
    const error = await world.send("addDurable", `filling-${n}`);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** What needs the disk is refused, durable messages with a hint; what does not is answered. */
async function checkRefusals(world: World): Promise<void> {
  const durable = await world.send("addDurable", "in-trouble-durable");
  assertRefused(durable);
  assert.ok((durable?.retryAfterMs ?? 0) > 0, "no hint when to send again");
  assertRefused(await world.send("add", "in-trouble-plain"));
  await world.ask();
}

/** What was acknowledged took effect once, nothing is left over, and the database is whole. */
async function examine(trouble: Trouble, acknowledged: readonly string[]): Promise<void> {
  const store = await openStore(await trouble.open());
  for (const id of acknowledged) {
    assert.equal((await store.record("state", id))?.[0], 1, `effects of ${id}`);
  }
  assert.deepEqual(await store.mailboxRows(0, 9), []);
  await store.close();
  const driver = await trouble.open();
  assert.deepEqual((await checkDriver(driver)).problems, []);
  await driver.close();
}

/** A file whose driver fails on demand. */
async function failing({ open }: LocalBinding, path: string, fails: "writes" | "everything") {
  let driver: FailingDriver | undefined;
  const set = (what: FailingDriver["fails"]): void => {
    if (driver !== undefined) driver.fails = what;
  };
  await goThrough({
    open: async () => {
      driver = new FailingDriver(await open(path));
      return driver;
    },
    begin: () => set(fails),
    end: async () => set("nothing"),
    reason: /cannot write: .*disk I\/O error/,
  });
}

for (const binding of localBindings) {
  describe(`a node on ${binding.name}`, { skip: binding.skip }, () => {
    it("says that its disk is full, refuses with a hint, and works again when there is room", {
      skip: cannotMount,
      timeout: 60_000,
    }, async () => {
      await using disk = await smallDisk();
      await goThrough({
        open: () => binding.open(join(disk.path, "store.db")),
        begin: () => {},
        end: () => rm(disk.ballast),
        reason: /cannot write: .*full/,
      });
    });
  });
}

describe("a node whose disk has errors", () => {
  const binding = localBindings.find(({ skip }) => skip === false);
  for (const [what, fails] of [
    ["writes fail", "writes"],
    ["reads fail, too", "everything"],
  ] as const) {
    it(`says so while ${what}, refuses with a hint, and works again when they do not`, {
      timeout: 60_000,
    }, async () => {
      assert.ok(binding);
      await using folder = await temporaryFolder();
      await failing(binding, join(folder.path, "store.db"), fails);
    });
  }
});
