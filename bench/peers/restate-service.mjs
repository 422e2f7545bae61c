// The service that Restate keeps agents' keys for: one virtual object per agent. Run by ./statehouse bench --peers.
// Prints its address; ends when it is killed.
import { createServer } from "node:http2";
import { createEndpointHandler, handlers, object } from "@restatedev/restate-sdk";

// The SDK calls it; Node has it from 22 on.
Promise.withResolvers ??= () => {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return deferred;
};

const agent = object({
  name: "agent",
  handlers: {
    set: async (context, { key, value }) => context.set(key, value),
    // Shared: reads of one agent need not wait for each other.
    get: handlers.object.shared(async (context, { key }) => {
      const value = await context.get(key);
      if (value === null) throw new Error(`${context.key} has no ${key}`);
      return value;
    }),
  },
});

// createServer of http2 speaks HTTP/2 without TLS, by which Restate streams to and fro.
const server = createServer(createEndpointHandler({ services: [agent] }));
server.listen(0, "127.0.0.1", () => console.log(`service: http://127.0.0.1:${server.address().port}`));
