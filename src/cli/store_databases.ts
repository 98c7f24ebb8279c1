import { FolderDatabases } from "../../adapters/sql/folder_databases.ts";
import { filePath } from "../../adapters/sql/open.ts";
import { databasesBeside } from "../../adapters/sql/open_databases.ts";
import type { PortableDatabases } from "../../adapters/sql/portable_databases.ts";
import {
  type ServerDatabasesOptions,
  serverDatabases,
} from "../../adapters/sql/server_databases.ts";
import type { Input, OptionSpecs, World } from "./command.ts";
import { Misuse } from "./misuse.ts";
import { storeAddress } from "./settings/store_address.ts";

/** Where the databases of a store's actors are (`c.sql`). */
export type DatabasesPlace =
  | { readonly folder: string }
  | { readonly server: ServerDatabasesOptions };

/** Options that name a {@link DatabasesPlace}. */
export const databasesOptions: OptionSpecs = {
  databases: {
    value: "PLACE",
    help: "databases of actors: a folder, or a libSQL server with namespaces (default: STORE.actors)",
  },
  "databases-admin": {
    value: "URL",
    help: "admin API of that server (credentials: ROOST_DATABASES_TOKEN, ROOST_DATABASES_ADMIN_KEY)",
  },
};

/** The place that the options name, or the folder beside a store in a file. @throws Misuse. */
export function databasesPlace(
  input: Input,
  world: World,
  url: string,
): DatabasesPlace | undefined {
  const text = input.value("databases");
  const adminUrl = input.value("databases-admin");
  const named = text === undefined ? databasesBeside(url) : storeAddress(text, world.cwd);
  if (named?.startsWith("file:")) {
    if (adminUrl === undefined) return { folder: filePath(named) };
    throw new Misuse("--databases-admin is of a server; name it with --databases URL");
  }
  if (text === undefined) return undefined;
  if (named === undefined || !/^https?:/.test(named)) {
    throw new Misuse(`--databases is ${JSON.stringify(text)}; name a folder, or http://HOST:PORT`);
  }
  if (adminUrl === undefined) {
    throw new Misuse("--databases names a server; name its admin API with --databases-admin URL");
  }
  return { server: { url: named, adminUrl, ...credentials(world) } };
}

function credentials({ env }: World): Pick<ServerDatabasesOptions, "authToken" | "adminKey"> {
  const { ROOST_DATABASES_TOKEN: authToken, ROOST_DATABASES_ADMIN_KEY: adminKey } = env;
  return {
    ...(authToken === undefined ? {} : { authToken }),
    ...(adminKey === undefined ? {} : { adminKey }),
  };
}

/** The databases of a place. */
export function databasesAt(place: DatabasesPlace): PortableDatabases {
  return "server" in place
    ? serverDatabases(place.server)
    : new FolderDatabases(place.folder, "full");
}
