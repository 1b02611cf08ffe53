// What a caller sends and what is answered, as JSON schemas: ajv validates with the one, fast-json-stringify
// writes with the other.

import { CURRENCIES } from './currencies.js';
import { isAmount } from './money.js';

const VISIBLE = '[^\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff]';

const newItem = {
  type: 'object',
  additionalProperties: false,
  required: ['sku', 'name', 'quantity', 'unit_price'],
  properties: {
    sku: { type: 'string', maxLength: 64, pattern: `^${VISIBLE}+$` },
    name: { type: 'string', maxLength: 200, pattern: `^[^\\x00]*${VISIBLE}[^\\x00]*$` },
    quantity: { type: 'integer', minimum: 1, maximum: 1_000_000 },
    unit_price: { type: ['string', 'number'], amount: true },
  },
};

const newOrder = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'currency'],
  properties: {
    user_id: { type: ['string', 'null'], maxLength: 64, pattern: '^[A-Za-z0-9_.:-]+$' },
    items: { type: 'array', minItems: 1, maxItems: 100, items: newItem },
    currency: { type: 'string', enum: CURRENCIES },
    notes: { type: ['string', 'null'], maxLength: 1000, pattern: '^[^\\x00]*$' },
  },
};

const order = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    status: { type: 'string' },
    user_id: { type: 'string', nullable: true },
    items: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          sku: { type: 'string' },
          name: { type: 'string' },
          quantity: { type: 'integer' },
          unit_price: { type: 'string' },
        },
      },
    },
    currency: { type: 'string' },
    notes: { type: 'string', nullable: true },
    total: { type: 'string' },
    created_at: { type: 'string' },
    cancelled_at: { type: 'string', nullable: true },
  },
};

export const placeOrder = { body: newOrder, response: { 201: order } };

/** Fastify's own ajv would convert types and drop unknown fields; here both are refused. */
export const ajv = {
  customOptions: { coerceTypes: false, removeAdditional: false, allowUnionTypes: true },
  plugins: [
    (instance) =>
      instance.addKeyword({
        keyword: 'amount',
        type: ['string', 'number'],
        schemaType: 'boolean',
        validate: (_schema, value) => isAmount(value),
        errors: false,
        error: { message: 'must be an amount like 19.99' },
      }),
  ],
};
