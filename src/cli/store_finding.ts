import { databaseOptions } from "../../adapters/serve/foundation.ts";
import { checkStore, type StoreReport } from "../../adapters/sql/check.ts";
import { isServer } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../errors.ts";
import type { Finding } from "./doctor_checks.ts";
import { oneLine } from "./failure.ts";
import { formatAge } from "./inspect/ages.ts";
import { type StoreSettings, storeSettings } from "./settings/settings.ts";
import { shownStore } from "./settings/store_address.ts";

/** Problems that are told one by one. */
const maxProblemsTold = 5;

const salvage =
  "go back to a copy; or take what can be read: roost store export prints it up to the damage";

/** Which store, and how thoroughly it is looked at. */
export interface StoreSubject extends StoreSettings {
  readonly store: string;
  /** Leaves out what takes long in a large store. */
  readonly quick: boolean;
}

/** How a store is, and what to do about it. Changes nothing in it. */
export async function storeFinding({ store, quick, ...settings }: StoreSubject): Promise<Finding> {
  const target = settings.storeSyncUrl ?? store;
  const name = `store ${shownStore(target)}`;
  if (target === ":memory:") return { name, status: "ok", detail: "memory; nothing is kept" };
  try {
    const options = databaseOptions(storeSettings(settings));
    const report = await checkStore(store, { ...options, quick });
    return { name, ...judge(report, isServer(target)), store: report };
  } catch (error) {
    return { name, ...failure(ActrError.from(error), isServer(target)) };
  }
}

type Verdict = Pick<Finding, "status" | "detail" | "mend">;

function judge(report: StoreReport, server: boolean): Verdict {
  const { problems, schema } = report;
  if (problems.length > 0) return damaged(problems);
  if (schema === 0) return { status: "ok", detail: "empty; the first start of a node fills it" };
  const detail = `whole; ${contents(report)}; ${ownership(report, server)}`;
  return { status: "ok", detail, ...migration(report, server) };
}

function damaged(problems: readonly string[]): Verdict {
  const told = problems.slice(0, maxProblemsTold).map(oneLine);
  const more = problems.length - told.length;
  if (more > 0) told.push(`and ${more} more`);
  return {
    status: "failed",
    detail: `problems: ${told.join("; ")}`,
    mend: salvage,
  };
}

function contents({ rows }: StoreReport): string {
  const { mailbox = 0, dead_letter = 0, answer = 0, record = 0 } = rows;
  return `${mailbox} messages, ${dead_letter} dead letters, ${answer} answers, ${record} records`;
}

function ownership({ owner, clean, leaseEndsAt }: StoreReport, server: boolean): string {
  if (owner === null) return "closed in order";
  const leftMs = leaseEndsAt - systemClock().now();
  if (server && leftMs > 0) return `in use by ${owner}, whose lease has ${formatAge(leftMs)} to go`;
  const how = clean ? "" : " without closing it; the next start recovers what it held";
  return `its last owner, ${owner}, ended${how}`;
}

function migration({ schema, knownSchema }: StoreReport, server: boolean): Pick<Finding, "mend"> {
  if (schema === knownSchema) return {};
  const copy = server ? "; copy it before" : " and keeps a copy beside it";
  return { mend: `the next start brings it from schema ${schema} to ${knownSchema}${copy}` };
}

function failure({ code, message, details }: ActrError, server: boolean): Verdict {
  const detail = oneLine(message);
  if (code === "not_found") return { status: "missing", detail };
  if (code === "config") return { status: "failed", detail };
  if (details?.["inUse"] === true) {
    const mend = "stop it to have its file checked; while it runs ask it: roost mailbox --url URL";
    return { status: "failed", detail, mend };
  }
  if (/malformed/.test(detail)) return { status: "failed", detail, mend: salvage };
  if (!server) return { status: "failed", detail };
  const mend = "check that the server runs there, and ROOST_STORE_TOKEN if it asks for a token";
  return { status: "failed", detail, mend };
}
