// A consumer of a queue of its own, which the broker names, bound to an exchange of a run: what the exchange hands on, it prints.
//
//     npm ci
//     node consumer.js [--address 127.0.0.1:5672] [--exchange events] [--key '#']
//
// One line of JSON for each message: its routing key, the trace that it is of, and its body. The queue is exclusive: it goes with the
// connection, and the run's own queues get their copies all the same. What such a queue does is not recorded. At a broker that is not
// built in, the exchange's name has hopscope.<run>. before it.

import { parseArgs } from "node:util";
import amqp from "amqplib";

const { values: given } = parseArgs({
  options: {
    address: { type: "string", default: "127.0.0.1:5672" },
    exchange: { type: "string", default: "events" },
    key: { type: "string", default: "#" },
  },
});

const connection = await amqp.connect(`amqp://guest:guest@${given.address}`);
connection.on("error", (error) => console.error(error.message));
const channel = await connection.createChannel();
const { queue } = await channel.assertQueue("", { exclusive: true });
await channel.bindQueue(queue, given.exchange, given.key);
console.log(`${queue} takes ${given.key} from ${given.exchange}`);
await channel.consume(queue, (message) => {
  // Without a message, the broker has removed the queue.
  if (message === null) return;
  const { fields, properties, content } = message;
  const told = { key: fields.routingKey, traceparent: properties.headers?.traceparent, body: content.toString() };
  console.log(JSON.stringify(told));
  channel.ack(message);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => connection.close());
}
