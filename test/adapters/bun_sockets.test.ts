import { it } from "node:test";
import { bunSockets } from "../../adapters/bun/sockets.ts";
import { socketsConformance } from "../conformance/sockets.ts";

if ("Bun" in globalThis) socketsConformance("Bun.serve", bunSockets);
else it("sockets: Bun.serve", { skip: "runs on Bun" }, () => {});
