import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withDependency, withoutDependency } from "../../../src/protocol/manifest/manifest_edit.ts";

const echo = { type: "acme:Echo:1.0.0" };
const line = 'echo = { actr_type = "acme:Echo:1.0.0" }';

const commented = `# what we are
[package]
name = "A" # short
manufacturer = "m"

[dependencies] # whom we call
# the first
shop = { actr_type = "acme:Shop:1.0.0", vendor = { x = [1, 2] } } # dear

# ours
[scripts]
run = "x"
`;

describe("dependencies in the text of manifest.toml", () => {
  it("are added behind the others; all else stays as it is written", () => {
    const text = withDependency(commented, "echo", echo);
    const at = commented.indexOf("\n\n# ours") + "\n\n# ours".length;
    assert.equal(text, `${commented.slice(0, at)}\n${line}${commented.slice(at)}`);
    assert.equal(withoutDependency(text, "echo"), commented);
  });

  it("are replaced where they stand, with what other tools keep there", () => {
    const text = withDependency(commented, "shop", { type: "acme:Shop:2.0.0", realm: 7 });
    const changed =
      'shop = { actr_type = "acme:Shop:2.0.0", vendor = { x = [ 1, 2 ] }, realm = 7 }';
    assert.equal(text, commented.replace(/shop = .*/, changed));
  });

  it("get a section where there is none", () => {
    assert.equal(withDependency("", "echo", echo), `[dependencies]\n${line}\n`);
    const text = withDependency('[package]\nname = "A"', "my echo", echo);
    assert.equal(
      text,
      `[package]\nname = "A"\n\n[dependencies]\n"my ${line.replace("echo", 'echo"')}\n`,
    );
    assert.equal(withDependency(text, "my echo", { ...echo, realm: 1 }).split("\n").length, 6);
  });

  it("that stand in another form are left alone: the error names the line to write", () => {
    const forms = [
      "[dependencies.echo]\nactr_type = 'x'\n",
      "dependencies = { shop = {} }\n",
      "dependencies.echo.actr_type = 'x'\n",
      '[dependencies]\necho = { actr_type = """\nx""" }\n',
      "[dependencies]\n[dependencies.shop]\nactr_type = 'x'\n[dependencies.echo]\n",
    ];
    for (const form of forms) {
      assert.throws(() => withDependency(form, "echo", echo), {
        code: "config",
        message:
          /^the dependencies in manifest\.toml stand in a form .* yourself: echo = \{ actr_type/,
      });
    }
    assert.throws(() => withoutDependency(forms[0] ?? "", "echo"), { code: "config" });
    assert.throws(() => withoutDependency(commented, "none"), { code: "not_found" });
    assert.throws(() => withDependency("a = ", "echo", echo), { code: "config" });
  });
});
