/**
 * An agent that works off what it is asked, one question after the other, and goes on where it was, whatever happens to
 * its process: a workflow. What it answers is noted by a reporter: a loop over a queue.
 *
 *     npm run -s roost -- dev examples/agent
 *
 * serves them. This asks the agent `ada`, for something that it may not decide alone, too, allows that, and shows the answers:
 *
 *     curl -d '{"args":["What is a roost?"]}' 'http://127.0.0.1:8080/gateway/agent/action/ask?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=ada'
 *     curl -d '{"args":["Buy a boat"]}' 'http://127.0.0.1:8080/gateway/agent/action/ask?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=ada'
 *     curl -d '{"args":[true]}' 'http://127.0.0.1:8080/gateway/agent/action/decide?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=ada'
 *     curl -d '{"args":[]}' 'http://127.0.0.1:8080/gateway/agent/action/answers?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=ada'
 *     curl -d '{"args":[]}' 'http://127.0.0.1:8080/gateway/reporter/action/report?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=all'
 */
import { actor, defineNode, event, queue } from "@roost/edge";

const hourMs = 3_600_000;
const keptAnswers = 100;

interface Answer {
  readonly question: string;
  readonly text: string;
}

/** Notes what agents answer. Each line has the name of the step that sends it, which may do so twice. */
const reporter = actor({
  state: () => ({ lines: {} as Record<string, string> }),
  queues: { lines: queue<{ name: string; text: string }>() },
  actions: {
    note: (c, name: string, text: string) => c.queue.send("lines", { name, text }),
    report: (c) => Object.values(c.state.lines),
  },
  async run(c) {
    for await (const line of c.queue.iterate({ completable: true })) {
      c.state.lines[line.body.name] = line.body.text;
      await line.complete();
    }
  },
});

const agent = actor({
  state: () => ({ answers: [] as Answer[] }),
  events: { answered: event<Answer>() },
  queues: { questions: queue<string>(), decisions: queue<boolean>() },
  actions: {
    ask: (c, question: string) => c.queue.send("questions", question),
    decide: (c, isAllowed: boolean) => c.queue.send("decisions", isAllowed),
    answers: (c) => c.state.answers,
    tidy(c) {
      c.state.answers = c.state.answers.slice(-keptAnswers);
    },
  },
  onCreate(c) {
    c.schedule.every("tidy", hourMs, "tidy");
  },
  run: {
    async workflow(w) {
      await w.loop("questions", async (each) => {
        const { body: question } = await each.message("question", { names: ["questions"] });
        const { plan, cost } = await each.join("think", {
          plan: async (b) =>
            await b.step("plan", { turn: "interleaved" }, (c) => answerTo(question, c.signal)),
          cost: async (b) => await b.step("cost", { turn: "interleaved" }, () => costOf(question)),
        });
        const decision =
          cost > 0 &&
          (await each.message("decision", { names: ["decisions"], timeoutMs: 24 * hourMs }))?.body;
        const text = cost === 0 || decision === true ? plan : "That was not allowed.";
        await each.step("answer", (c) => {
          const answer = { question, text };
          c.state.answers.push(answer);
          c.broadcast("answered", answer);
        });
        await each.step("report", { turn: "interleaved" }, async (c) => {
          const all = c.client<{ actors: { reporter: typeof reporter } }>().reporter.get("all");
          await all.note(c.idempotencyKey, `${question} ${text}`);
        });
      });
    },
  },
});

/** Stands for a call of a model, which takes its time. */
async function answerTo(question: string, signal: AbortSignal): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  signal.throwIfAborted();
  return `It depends on what you mean by "${question}".`;
}

/** Stands for a tool that the agent uses. */
function costOf(question: string): number {
  return question.startsWith("Buy") ? 1 : 0;
}

export const app = defineNode({ type: "acme:Agent:1.0.0", actors: { agent, reporter } });
