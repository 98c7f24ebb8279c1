import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Misuse } from "../../../src/cli/misuse.ts";
import { fillTemplate } from "../../../src/cli/settings/template.ts";

const place = { name: "storage.mailbox_path in actr.toml", folder: "/" };
const fill = (text: string): string =>
  fillTemplate(text, { variables: new Map([["realm_id", "7"]]), env: { TENANT: "acme" } }, place);

describe("a template", () => {
  it("[N-18] names realm and environment; a name without a value is an error; a text without any is unchanged", () => {
    assert.equal(fill("data/{realm_id}/{env.TENANT}-{realm_id}.db"), "data/7/acme-7.db");
    for (const text of ["data/box.db", "", "{", "}{", "$HOME"]) assert.equal(fill(text), text);
    const wrong: [string, RegExp][] = [
      ["{tenant}", /^storage\.mailbox_path in actr\.toml has \{tenant\}.*realm_id, env\.NAME$/],
      ["{env.NOBODY}", /\{env\.NOBODY\}.*set the variable NOBODY$/],
      ["{}", /\{\}/],
      ["{toString}", /\{toString\}/],
    ];
    for (const [text, message] of wrong) {
      assert.throws(
        () => fill(text),
        (error) => error instanceof Misuse && message.test(error.message),
      );
    }
  });
});
