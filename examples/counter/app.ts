/**
 * A counter for every key, each with a state of its own that outlives the process.
 *
 *     npm run -s roost -- dev examples/counter
 *
 * serves them. This makes the counter `room-1` and adds to it, then adds in three seconds, or when the node is back if it is
 * stopped by then:
 *
 *     curl -d '{"args":[1]}' 'http://127.0.0.1:8080/gateway/counter/action/add?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=room-1'
 *     curl -d '{"args":[5,3000]}' 'http://127.0.0.1:8080/gateway/counter/action/addLater?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=room-1'
 */
import { ActrError, actor, defineNode, event } from "@roost/edge";

const counter = actor({
  state: () => ({ count: 0 }),
  events: { changed: event<{ count: number }>() },
  actions: {
    add(c, by: number) {
      if (!Number.isSafeInteger(by)) {
        throw new ActrError("invalid_argument", `by is ${by}; it is a whole number`);
      }
      c.state.count += by;
      c.broadcast("changed", { count: c.state.count });
      return c.state.count;
    },
    count: (c) => c.state.count,
    /** Returns the id of the schedule. */
    addLater: (c, by: number, ms: number) => c.schedule.after(ms, "add", by),
  },
  actionOptions: { count: { turn: "read" } },
});

export const app = defineNode({ type: "acme:Counter:1.0.0", actors: { counter } });
