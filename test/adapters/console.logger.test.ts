import assert from "node:assert/strict";
import { it } from "node:test";
import { consoleLogger } from "../../adapters/console/console_logger.ts";
import { loggerConformance } from "../conformance/logger.ts";

for (const format of ["text", "json"] as const) {
  loggerConformance(`console, ${format}`, ({ level }) => {
    const lines: string[] = [];
    const logger = consoleLogger({ level, format, write: (line) => lines.push(line) });
    return { logger, lines };
  });
}

it("[N-169] an unknown level counts as info and is told of; without any option a logger works", () => {
  const lines: string[] = [];
  const level = "loud" as "info";
  const logger = consoleLogger({ level, write: (line) => lines.push(line) });
  logger.debug("too.quiet");
  logger.info("heard");
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /WARN +log\.level_unknown level=loud used=info/);
  assert.match(lines[1] ?? "", /INFO +heard/);
  assert.deepEqual([logger.enabled("debug"), logger.enabled("info")], [false, true]);
  const plain = consoleLogger();
  assert.deepEqual([plain.enabled("debug"), plain.enabled("info")], [false, true]);
});

it("shows a control character of a stranger's text by its number", () => {
  const lines: string[] = [];
  consoleLogger({ write: (line) => lines.push(line) }).info("odd", {
    a: "x\u009b31m",
    b: "\u001b",
  });
  assert.match(lines[0] ?? "", / odd a="x\\u009b31m" b="\\u001b"$/);
});
