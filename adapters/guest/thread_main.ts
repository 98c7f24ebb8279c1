/** The thread of a guest: runs what its node loads into it. */
import { serveGuests } from "../../src/guest/worker/serve_guests.ts";
import { systemClock } from "../system_clock.ts";
import { inlineGuests } from "./inline_guests.ts";
import { threadPort } from "./thread_port.ts";

const clock = systemClock();
serveGuests({ port: threadPort(), clock, host: inlineGuests(clock) });
