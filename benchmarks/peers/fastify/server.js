// The second peer of orders_service: Fastify, the native MongoDB driver and amqplib; one insert and one awaited publish
// a request. What a careful engineer writes from their manuals. It keeps no outbox: an order that was stored before its
// publish failed has no event, and its caller a 500.

import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { Decimal128, MongoClient, ObjectId } from 'mongodb';

import { hundredthsOf, textOf } from './money.js';
import { openPublisher } from './publisher.js';
import { ajv, placeOrder } from './schemas.js';

const { MONGODB_URI, MONGODB_DATABASE = 'peer', RABBITMQ_URL, PORT = '8000', DURABILITY = 'same' } = process.env;
const durable = DURABILITY !== 'usual';

/** Fastify writes a line when a request comes and one when it is answered; one is enough. */
class OneLine extends Fastify.LogController {
  incomingRequest() {}

  requestCompleted(error, request, reply) {
    const fields = { req: request, res: reply, responseTime: reply.elapsedTime };
    if (error) reply.log.error({ ...fields, err: error }, 'request errored');
    else reply.log.info(fields, 'request completed');
  }
}

const mongo = await new MongoClient(
  MONGODB_URI,
  durable ? { writeConcern: { w: 'majority', journal: true } } : {},
).connect();
const orders = mongo.db(MONGODB_DATABASE).collection('orders');
const publisher = await openPublisher(RABBITMQ_URL, durable);

const app = Fastify({ logger: true, logController: new OneLine(), ajv });

app.post('/orders', { schema: placeOrder }, async (request, reply) => {
  const newOrder = request.body;
  const createdAt = new Date();
  let total = 0n;
  const lines = newOrder.items.map(({ sku, name, quantity, unit_price }) => {
    const price = hundredthsOf(unit_price);
    total += price * BigInt(quantity);
    return { sku, name: name.trim(), quantity, unit_price: textOf(price) };
  });
  const order = {
    id: new ObjectId(),
    status: 'placed',
    user_id: newOrder.user_id ?? null,
    items: lines,
    currency: newOrder.currency,
    notes: newOrder.notes ?? null,
    total: textOf(total),
    created_at: createdAt.toISOString(),
    cancelled_at: null,
  };
  await orders.insertOne(asDocument(order, createdAt));
  await publishCreated(order);
  const id = order.id.toHexString();
  reply.code(201).header('location', `/orders/${id}`);
  return { ...order, id };
});

/** As MongoDB keeps it: amounts as exact decimals. */
function asDocument({ id, ...order }, createdAt) {
  return {
    _id: id,
    ...order,
    items: order.items.map((item) => ({ ...item, unit_price: Decimal128.fromString(item.unit_price) })),
    total: Decimal128.fromString(order.total),
    created_at: createdAt,
  };
}

async function publishCreated({ id, user_id, total, currency, created_at }) {
  const event = {
    id: randomUUID(),
    source: '/orders_service',
    type: 'order.created',
    data: { order_id: id.toHexString(), user_id, total, currency, created_at },
    specversion: '1.0',
    datacontenttype: 'application/json',
    time: created_at,
  };
  await publisher.publish(event.type, Buffer.from(JSON.stringify(event)), {
    messageId: event.id,
    contentType: 'application/cloudevents+json',
    persistent: true,
  });
}

app.get('/health/ready', async () => {
  await mongo.db('admin').command({ ping: 1 });
  return { status: 'ok' };
});

app.addHook('onClose', async () => {
  await publisher.close();
  await mongo.close();
});

let stopping = false;
// amqplib does not connect again by itself: whoever watches the process starts it anew.
publisher.connection.on('error', (error) => app.log.error(error));
publisher.connection.on('close', () => {
  if (!stopping) process.exit(1);
});
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    stopping = true;
    await app.close();
  });
}

await app.listen({ host: '127.0.0.1', port: Number(PORT) });
