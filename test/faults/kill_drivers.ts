import { join } from "node:path";
import { openLibsqlClient } from "../../adapters/sql/libsql_client.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { localBindings } from "../adapters/sql_bindings.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";

/** A database that outlives the processes which use it. */
export interface KillPlace extends AsyncDisposable {
  /** What a process needs to open it. */
  readonly location: string;
}

/** A driver under kill -9. */
export interface KillDriver {
  readonly name: string;
  /** Why it does not run here, if so. */
  readonly skip: string | false;
  readonly remote: boolean;
  /** Whether its owner is known by a lease alone, whose rest a successor has to wait for. */
  readonly leased: boolean;
  /** Makes an empty database in a folder. */
  place(folder: string): Promise<KillPlace>;
  open(location: string): Promise<SqlDriver>;
}

/** A busy machine is no fault: servers get time to answer, milliseconds. */
const callTimeoutMs = 20_000;

const remote = (scheme: "http" | "ws"): KillDriver => ({
  name: `server ${scheme}`,
  skip: sqldMissing,
  remote: true,
  leased: true,
  place: async () => {
    const server = await Sqld.start();
    return {
      location: server.url(scheme),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  open: (url) => openLibsqlClient({ url, durability: "full", callTimeoutMs }),
});

const replica: KillDriver = {
  name: "replica",
  skip: sqldMissing,
  remote: true,
  leased: true,
  place: async (folder) => {
    const server = await Sqld.start();
    return {
      location: JSON.stringify([`file:${join(folder, "replica.db")}`, server.url("http")]),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  open: (location) => {
    const [url, syncUrl] = JSON.parse(location) as [string, string];
    return openLibsqlClient({ url, syncUrl, durability: "full", callTimeoutMs });
  },
};

/** Every driver, local and remote. */
export const killDrivers: readonly KillDriver[] = [
  ...localBindings.map(
    ({ name, skip, open }): KillDriver => ({
      name,
      skip,
      open,
      remote: false,
      leased: name.includes("client"),
      place: async (folder) => ({
        location: join(folder, "store.db"),
        [Symbol.asyncDispose]: async () => {},
      }),
    }),
  ),
  remote("http"),
  remote("ws"),
  replica,
];

/** Opens a database by the name of its driver. */
export function openKillDriver(where: {
  readonly driver: string;
  readonly location: string;
}): Promise<SqlDriver> {
  const found = killDrivers.find(({ name }) => name === where.driver);
  if (found === undefined) throw new RangeError(`no driver ${where.driver}`);
  return found.open(where.location);
}
