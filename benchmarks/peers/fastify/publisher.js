// One channel to the exchange `events`.

import { connect } from 'amqplib';

const EXCHANGE = 'events';

/**
 * @param {string} url AMQP address.
 * @param {boolean} durable Whether a publish waits for the broker's confirm and fails when no queue takes the message.
 */
export async function openPublisher(url, durable) {
  const connection = await connect(url);
  const channel = durable ? await connection.createConfirmChannel() : await connection.createChannel();
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true });

  // A returned message is confirmed, too, right after its return.
  const returned = new Set();
  channel.on('return', (message) => returned.add(message.properties.messageId));

  function publishConfirmed(topic, body, options) {
    return new Promise((resolve, reject) => {
      channel.publish(EXCHANGE, topic, body, { ...options, mandatory: true }, (error) => {
        if (error) reject(error);
        else if (returned.delete(options.messageId)) reject(new Error('No queue takes the message'));
        else resolve();
      });
    });
  }

  async function publishAndForget(topic, body, options) {
    channel.publish(EXCHANGE, topic, body, options);
  }

  return {
    connection,
    /** Publishes a persistent message. */
    publish: durable ? publishConfirmed : publishAndForget,
    close: () => connection.close(),
  };
}
