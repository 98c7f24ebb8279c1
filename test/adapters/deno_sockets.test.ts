import { it } from "node:test";
import { denoSockets } from "../../adapters/deno/sockets.ts";
import { socketsConformance } from "../conformance/sockets.ts";

if ("Deno" in globalThis) socketsConformance("Deno.serve", denoSockets);
else it("sockets: Deno.serve", { skip: "runs on Deno" }, () => {});
