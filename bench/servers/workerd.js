// Every load in JavaScript, as workerd runs it: env.LOAD says which, env.UPSTREAM is the server behind.
import { connect } from "cloudflare:sockets";

const MESSAGE = { message: "Hello, World!", numbers: [1, 2, 3], nested: { yes: true } };

async function relay(request, env) {
  const secureTransport = env.LOAD === "stream-tls" ? "on" : "off";
  const socket = connect(env.UPSTREAM, { secureTransport });
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(new URL(request.url).pathname + "\r\n"));
  return new Response(socket.readable, { headers: { "Content-Type": "application/octet-stream" } });
}

export default {
  async fetch(request, env) {
    switch (env.LOAD) {
      case "echo":
        return new Response(await request.arrayBuffer());
      case "json":
        return Response.json(MESSAGE);
      case "hello":
      case "idle":
      case "start":
        return new Response("Hello, World!");
      default:
        return relay(request, env);
    }
  },
};
