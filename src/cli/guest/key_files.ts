import { mkdir, open, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ActrError } from "../../errors.ts";
import { publicKeyIn, signingKeyIn } from "../../guest/trust/key_file.ts";
import type { SigningKey } from "../../protocol/signing_key.ts";
import type { World } from "../command.ts";

/** Longest key file that is read, bytes. */
const longest = 65_536;

/** The key file of who names none: where Actr's own tools have it. */
export function usualKeyFile({ env }: Pick<World, "env">): string {
  return join(env["HOME"] ?? env["USERPROFILE"] ?? homedir(), ".actr", "dev-key.json");
}

/** The public key in a file, 32 bytes. @throws ActrError `config`. */
export async function readPublicKey(path: string): Promise<Uint8Array> {
  return publicKeyIn(await keyText(path, "name another"), path);
}

/** The key pair in a file. @throws ActrError `config`. */
export async function readSigningKey(path: string): Promise<SigningKey> {
  return await signingKeyIn(await keyText(path, "make one: roost keys"), path);
}

/** Writes a new key file, which its owner alone may read. @throws ActrError `invalid_argument` where there is a file; `storage`. */
export async function writeKeyFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // Made anew with these rights: nobody can have opened it before it has them.
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") {
      const mend = "a key that is lost cannot be made again; name another file";
      throw new ActrError("invalid_argument", `${path} exists already; ${mend}`);
    }
    throw new ActrError("storage", `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function keyText(path: string, mend: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= longest) return bytes.toString("utf8");
  } catch (cause) {
    const missing = codeOf(cause) === "ENOENT";
    const reason = missing ? `there is no such file; ${mend}` : (cause as Error).message;
    throw new ActrError("config", `cannot read the key file ${path}: ${reason}`, { cause });
  }
  throw new ActrError("config", `${path} is no key file: it has more than ${longest} bytes`);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
