/** Nothing: what the runtime itself costs. */
import { tellReady } from "../ready.ts";

await tellReady({});
