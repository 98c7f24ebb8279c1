import { resolve } from "node:path";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import { generateKeyFile } from "../../guest/package/key_file.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import type { Command, Input, World } from "../command.ts";
import { readPublicKey, usualKeyFile, writeKeyFile } from "../guest/key_files.ts";

/** Makes the key of who signs packages. */
export const keysCommand: Command = {
  name: "keys",
  summary: "Make a key that signs packages, or show the public half of one",
  arguments: { usage: "[FILE]", least: 0, most: 1 },
  options: {
    public: { help: "make none: print the public half of FILE, a key file for those who trust it" },
  },
  example: "roost keys acme.key.json",

  async run(input: Input, world: World): Promise<number> {
    const [name] = input.positionals;
    const file = name === undefined ? usualKeyFile(world) : resolve(world.cwd, name);
    if (!input.has("public")) await makeKey(file);
    await show(file, input, world);
    return 0;
  },
};

async function makeKey(file: string): Promise<void> {
  const { text } = await generateKeyFile({ clock: systemClock(), random: systemRandom() });
  await writeKeyFile(file, text);
}

async function show(file: string, input: Input, { out }: World): Promise<void> {
  const key = await readPublicKey(file);
  const [keyId, publicKey] = [await manufacturerKeyId(key), toBase64(key)];
  if (input.has("json")) out(JSON.stringify({ file, keyId, publicKey }));
  else if (input.has("public")) out(JSON.stringify({ public_key: publicKey, key_id: keyId }));
  else {
    out(`${file}  ${keyId}`);
    out(`  public key  ${publicKey}`);
    out("  Keep the file: who has it signs in your name, and it cannot be made again.");
  }
}
