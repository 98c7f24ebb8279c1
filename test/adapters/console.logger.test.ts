import { consoleLogger } from "../../adapters/console/console_logger.ts";
import { loggerConformance } from "../conformance/logger.ts";

for (const format of ["text", "json"] as const) {
  loggerConformance(`console, ${format}`, ({ level }) => {
    const lines: string[] = [];
    const logger = consoleLogger({ level, format, write: (line) => lines.push(line) });
    return { logger, lines };
  });
}
