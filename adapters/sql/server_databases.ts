import { ActrError } from "../../src/errors.ts";
import { checkDatabaseName } from "../../src/ports/sql_databases.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { claimDatabase, ownerGuard } from "./database_owner.ts";
import { type LibsqlClientOptions, namespaceHeader, openLibsqlClient } from "./libsql_client.ts";
import type { PortableDatabases } from "./portable_databases.ts";

/** Which libSQL server keeps databases, each a namespace of its own; it runs with `--enable-namespaces`. */
export interface ServerDatabasesOptions {
  /** `http:` or `https:`. */
  readonly url: string;
  /** Address of its admin API, which makes and deletes namespaces. */
  readonly adminUrl: string;
  /** Credential of the server. */
  readonly authToken?: string;
  /** Key of the admin API. */
  readonly adminKey?: string;
  /** Longest wait for one answer, milliseconds. @default 5000 */
  readonly callTimeoutMs?: number;
}

/** No database of an actor has this name. */
const absent = "roost-never-made";

/**
 * Databases of actors on a libSQL server: nodes that share a store there share these too, so that an actor finds its own
 * on whichever node it wakes, and no other node can reach it any more.
 */
export function serverDatabases(options: ServerDatabasesOptions): PortableDatabases {
  return new ServerDatabases(options);
}

class ServerDatabases implements PortableDatabases {
  readonly shared = true;
  readonly #options: ServerDatabasesOptions;
  #checked: Promise<void> | undefined;

  constructor(options: ServerDatabasesOptions) {
    this.#options = options;
  }

  async open(name: string, owner?: number): Promise<SqlDriver> {
    await this.#make(name);
    if (owner === undefined) return await this.#connect(name);
    await this.#claim(name, owner);
    return await this.#connect(name, { guard: ownerGuard(owner) });
  }

  async openForImport(name: string): Promise<SqlDriver> {
    await this.#make(name);
    return await this.#connect(name, { foreignKeys: false });
  }

  async has(name: string): Promise<boolean> {
    checkDatabaseName(name);
    return await this.#admin("GET", `${name}/config`, "doesn't exist");
  }

  async delete(name: string): Promise<void> {
    checkDatabaseName(name);
    await this.#admin("DELETE", name, "doesn't exist");
  }

  async #make(name: string): Promise<void> {
    checkDatabaseName(name);
    this.#checked ??= this.#check();
    try {
      await this.#checked;
    } catch (error) {
      this.#checked = undefined;
      throw error;
    }
    await this.#admin("POST", `${name}/create`, "already exists");
  }

  async #claim(name: string, owner: number): Promise<void> {
    const driver = await this.#connect(name);
    try {
      await claimDatabase(driver, owner);
    } finally {
      await driver.close();
    }
  }

  #connect(
    namespace: string,
    rules: Pick<LibsqlClientOptions, "guard" | "foreignKeys"> = {},
  ): Promise<SqlDriver> {
    const { url, authToken, callTimeoutMs } = this.#options;
    return openLibsqlClient({
      ...{ url, namespace, durability: "full", ...rules },
      ...(authToken === undefined ? {} : { authToken }),
      ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
    });
  }

  /** A server without namespaces would give every actor the same database. */
  async #check(): Promise<void> {
    const { url, authToken } = this.#options;
    const pipeline = new URL("/v2/pipeline", url);
    const answer = await this.#ask(pipeline, {
      method: "POST",
      headers: {
        ...Object.fromEntries([["content-type", "application/json"], namespaceHeader(absent)]),
        ...(authToken === undefined ? {} : { authorization: `Bearer ${authToken}` }),
      },
      body: '{"requests":[{"type":"close"}]}',
    });
    if (!answer.ok && answer.text.includes("doesn't exist")) return;
    const why = answer.ok ? "has no namespaces; start it with --enable-namespaces" : answer.text;
    throw failed(pipeline, why);
  }

  /** Asks the admin API; `fine` is what it may say against it: then false. */
  async #admin(method: "GET" | "POST" | "DELETE", path: string, fine: string): Promise<boolean> {
    const { adminUrl, adminKey } = this.#options;
    const url = new URL(`/v1/namespaces/${path}`, adminUrl);
    const { ok, text } = await this.#ask(url, {
      method,
      headers: {
        "content-type": "application/json",
        ...(adminKey === undefined ? {} : { authorization: `Basic ${adminKey}` }),
      },
      ...(method === "POST" ? { body: "{}" } : {}),
    });
    if (!ok && !text.includes(fine)) throw failed(url, text);
    return ok;
  }

  async #ask(
    url: URL,
    init: RequestInit,
  ): Promise<{ readonly ok: boolean; readonly text: string }> {
    const { callTimeoutMs = 5000 } = this.#options;
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(callTimeoutMs) });
      return { ok: answer.ok, text: `says ${answer.status}: ${await answer.text()}` };
    } catch (cause) {
      throw failed(url, "does not answer", cause);
    }
  }
}

/** Without what may be a secret in the address. */
function failed({ protocol, host }: URL, what: string, cause?: unknown): ActrError {
  const message = `the libSQL server at ${protocol}//${host} ${what}`;
  return new ActrError("storage", message, { cause, details: { fault: "database" } });
}
