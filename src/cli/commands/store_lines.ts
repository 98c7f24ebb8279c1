import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { exportStore } from "../../../adapters/sql/export.ts";
import { importStore } from "../../../adapters/sql/import.ts";
import { filePath } from "../../../adapters/sql/open.ts";
import { ActrError } from "../../errors.ts";
import type { Store } from "../../ports/store.ts";
import type { World } from "../command.ts";
import { linePages, linesOf } from "../lines.ts";
import { progress } from "../progress.ts";
import { fileUrl, shownStore } from "../settings/store_address.ts";
import { isMissing, requireStore, withStore } from "../store_at_rest.ts";
import { type DatabasesPlace, databasesAt } from "../store_databases.ts";
import { makeFile, makeFolder, writeTexts } from "../whole_file.ts";
import type { StoreWork } from "./store.ts";

/** Lines written at once. */
const pageLines = 256;

/** `roost store export`: a header, a line for each entry, and their number. A file named is whole or not there. */
export async function exportTo(
  { url, file, databases, settings }: StoreWork,
  json: boolean,
  world: World,
): Promise<number> {
  await requireStore(url);
  const run = (write: (text: string) => Promise<void>): Promise<number> =>
    withStore(url, settings, ({ store }) => writeStore(store, databases, write, world));
  if (file === undefined) {
    const exported = await run(async (text) => {
      world.out(text.slice(0, -1));
      await world.drained();
    });
    world.err(json ? JSON.stringify({ exported }) : `roost: exported ${exported} entries`);
    return 0;
  }
  const path = resolve(world.cwd, file);
  const exported = await makeFile(path, (part) => writeTexts(part, run));
  world.out(
    json ? JSON.stringify({ exported, out: path }) : `exported ${exported} entries to ${path}`,
  );
  return 0;
}

async function writeStore(
  store: Store,
  place: DatabasesPlace | undefined,
  write: (text: string) => Promise<void>,
  world: World,
): Promise<number> {
  const tell = progress(world, "after a second");
  let lines = 0;
  const onProgress = (count: number): void => {
    lines = count;
    tell(`exported ${lines} entries`);
  };
  const databases = place && databasesAt(place);
  for await (const page of linePages(exportStore(store, { databases, onProgress }), pageLines)) {
    await write(page);
  }
  return lines;
}

/** `roost store import`: into a store that is empty or new. A file is made whole, with the databases beside it, or not at all. */
export async function importFrom(
  { url, file, databases, settings }: StoreWork,
  json: boolean,
  world: World,
): Promise<number> {
  const path = file === undefined ? undefined : resolve(world.cwd, file);
  const pieces = path === undefined ? world.input() : piecesOf(path);
  const tell = progress(world, "after a second");
  const onProgress = (stored: number): void => tell(`imported ${stored} entries`);
  const run = (target: string, place: DatabasesPlace | undefined): Promise<number> =>
    withStore(target, settings, ({ store }) => {
      const options = { databases: place && databasesAt(place), onProgress };
      return importStore(store, linesOf(pieces), options);
    });
  const isNew = settings.storeSyncUrl === undefined && (await isMissing(url));
  const imported = isNew
    ? await makeFile(filePath(url), (part) =>
        withDatabases(databases, (place) => run(fileUrl(part), place)),
      )
    : await run(url, databases);
  const shown = shownStore(url);
  world.out(
    json
      ? JSON.stringify({ imported, store: shown })
      : `imported ${imported} entries into ${shown}`,
  );
  return 0;
}

/** Databases in a folder are made whole or not at all, as the file of their store is. */
async function withDatabases<Result>(
  place: DatabasesPlace | undefined,
  run: (place: DatabasesPlace | undefined) => Promise<Result>,
): Promise<Result> {
  if (place === undefined || "server" in place) return await run(place);
  return await makeFolder(place.folder, (folder) => run({ folder }));
}

async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ActrError("invalid_argument", `cannot read ${path}: ${reason}`, { cause });
  }
}
