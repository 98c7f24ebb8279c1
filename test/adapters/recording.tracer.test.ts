import { RecordingTracer } from "../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { tracerConformance } from "../conformance/tracer.ts";

tracerConformance("recording", () => {
  const tracer = new RecordingTracer(new SeededRandom(1));
  return { tracer, spans: () => tracer.spans };
});
