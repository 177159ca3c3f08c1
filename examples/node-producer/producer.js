// A producer of records for a topic of a run, each with a key and headers.
//
//     npm ci
//     node producer.js [--address 127.0.0.1:9092] [--topic orders] [--key ada] [--count 3]
//
// A record's key decides its partition, as that of the run's own records does. Prints one line of JSON for each record, when the broker
// has confirmed it: its body, and where it lies. With --traceparent, its records are of that trace; a trace of another program is
// recorded as one of its own. At a broker that is not built in, the topic's name has hopscope.<run>. before it.

import { parseArgs } from "node:util";
import { Kafka, logLevel, Partitioners } from "kafkajs";

const { values: given } = parseArgs({
  options: {
    address: { type: "string", default: "127.0.0.1:9092" },
    topic: { type: "string", default: "orders" },
    key: { type: "string", default: "ada" },
    count: { type: "string", default: "3" },
    traceparent: { type: "string" },
  },
});

const kafka = new Kafka({ clientId: "node-producer", brokers: [given.address], logLevel: logLevel.ERROR });
const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
try {
  for (let number = 1; number <= Number(given.count); number += 1) {
    const value = `order ${number} of ${given.key}`;
    const headers = { "content-type": "text/plain", ...(given.traceparent && { traceparent: given.traceparent }) };
    const [{ partition, baseOffset }] = await producer.send({
      topic: given.topic,
      messages: [{ key: given.key, value, headers }],
    });
    console.log(JSON.stringify({ body: value, partition, offset: Number(baseOffset) }));
  }
} finally {
  await producer.disconnect();
}
