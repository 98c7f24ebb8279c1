import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Logger, type LogLevel, logLevels } from "../../src/ports/logger.ts";

/** A logger of the adapter under test that writes `level` and above, and the lines that it has written. */
export interface LoggerFixture {
  readonly logger: Logger;
  readonly lines: readonly string[];
}

/** What every {@link Logger} does. */
export function loggerConformance(
  name: string,
  open: (options: { readonly level: LogLevel }) => LoggerFixture,
): void {
  describe(`Logger: ${name}`, () => {
    for (const level of logLevels) {
      it(`writes ${level} and above, and says so`, () => {
        const { logger, lines } = open({ level });
        for (const each of logLevels) logger[each](`event.${each}`);
        const expected = logLevels.slice(logLevels.indexOf(level));
        assert.equal(lines.length, expected.length);
        for (const [index, each] of expected.entries()) {
          assert.match(lines[index] ?? "", new RegExp(`event\\.${each}`));
        }
        assert.deepEqual(
          logLevels.filter((each) => logger.enabled(each)),
          expected,
        );
      });
    }

    it("shows attributes with their names", () => {
      const { logger, lines } = open({ level: "info" });
      logger.info("rpc.done", { request_id: "r-1", attempts: 3, caller: undefined });
      assert.match(lines[0] ?? "", /request_id.*r-1/);
      assert.doesNotMatch(lines[0] ?? "", /caller/);
      assert.match(lines[0] ?? "", /attempts.*3/);
    });

    it("adds the attributes of with() to every event, nearer ones first", () => {
      const { logger, lines } = open({ level: "info" });
      const near = logger.with({ component: "far", peer: "p-1" }).with({ component: "near" });
      near.info("link.up");
      assert.match(lines[0] ?? "", /near/);
      assert.match(lines[0] ?? "", /p-1/);
      assert.doesNotMatch(lines[0] ?? "", /far/);
    });

    it("writes one line an event, whatever the values are", () => {
      const { logger, lines } = open({ level: "info" });
      const circle: { self?: object } = {};
      circle.self = circle;
      logger.error("odd.values", {
        big: 2n ** 60n,
        bytes: new Uint8Array([1, 2, 3]),
        error: new Error("first\nsecond", { cause: new Error("inner") }),
        nothing: undefined,
        text: 'a "quoted"\nline',
        within: { big: 2n ** 61n, error: new Error("deep"), at: new Date(0) },
        circle,
      });
      assert.equal(lines.length, 1);
      assert.doesNotMatch(lines[0] ?? "", /\n./);
      assert.match(lines[0] ?? "", /1152921504606846976/);
      assert.match(lines[0] ?? "", /2305843009213693952.*deep.*1970-01-01/);
    });

    it("steers no terminal, whatever a stranger has sent", () => {
      const { logger, lines } = open({ level: "info" });
      logger.warn("odd.text", { route_key: "a\u001b[2Jb", from: "\u0000" });
      assert.doesNotMatch(lines[0] ?? "", /[^\P{Cc}\u007f-\u009f]/u);
    });

    it("never shows the content of bytes", () => {
      const { logger, lines } = open({ level: "info" });
      logger.info("secret", { credential: new Uint8Array([115, 101, 99, 114, 101, 116]) });
      const { buffer } = new Uint8Array([115, 101, 99, 114, 101, 116]);
      const within = globalThis.Buffer?.from(buffer) ?? new Uint8Array(buffer);
      logger.info("secret", { login: { credential: within } });
      for (const line of lines) assert.doesNotMatch(line, /secret.*(115|c2Vj|736563)/);
      assert.equal(lines.length, 2);
    });
  });
}
