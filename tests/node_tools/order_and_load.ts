// Places an order and loads passengers by the types that openapi-typescript has made; prints what they answered.
// Arguments: the addresses of orders_service and passengers_service, and their key.
import createClient from "openapi-fetch";

import type { paths as OrdersPaths } from "./orders_service.d.ts";
import type { paths as PassengersPaths } from "./passengers_service.d.ts";

const [ordersUrl, passengersUrl, key] = process.argv.slice(2);
const headers = { "X-API-Key": key };

const orders = createClient<OrdersPaths>({ baseUrl: ordersUrl, headers });
const placed = await orders.POST("/orders", {
  params: { header: { "Idempotency-Key": "generated-typescript" } },
  body: { items: [{ sku: "MUG-01", name: "Coffee mug", quantity: 3, unit_price: "19.99" }], currency: "EUR" },
});

const passengers = createClient<PassengersPaths>({ baseUrl: passengersUrl, headers });
const person = { document_type: "passport", first_name: "Ada", last_name: "Lovelace" } as const;
const loaded = await passengers.POST("/passengers/bulk", {
  params: { header: { Prefer: "handling=strict" } },
  body: [0, 1, 2].map((number) => ({
    ...person,
    document_number: `TS00000${number}`,
    birth_date: "1990-05-17",
    nationality: "ES",
  })),
});

console.log(JSON.stringify({ order: placed.data ?? placed.error, loaded: loaded.data ?? loaded.error }));
