// Compiles schemas of OpenAPI documents with Ajv, and tells of values whether they obey them.
// In: {documents: {name: document}, schemas: ["name#/pointer"], values: [["name#/pointer", value]]}.
// Out: {errors: {"name#/pointer": message}, mistakes: [null or the errors of a value]}.
import { readFileSync } from "node:fs";

import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

// Strict: whatever Ajv does not know is an error. But for a union that is meant, as anyOf of texts and null is.
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
addFormats.default(ajv);
ajv.addFormat("idn-email", /^[^@]+@[^@]+$/u); // ajv-formats knows ASCII alone
for (const word of ["openapi", "info", "paths", "components", "tags", "servers"]) ajv.addKeyword(word);

const { documents, schemas, values } = JSON.parse(readFileSync(0, "utf8"));
for (const [name, document] of Object.entries(documents)) ajv.addSchema({ $id: name, ...document }, name, false, false);

const errors = {};
const checks = {};
for (const schema of schemas) {
  try {
    checks[schema] = ajv.compile({ $ref: schema });
  } catch (error) {
    errors[schema] = error.message;
  }
}
const mistakes = values.map(([schema, value]) => (checks[schema](value) ? null : checks[schema].errors));
console.log(JSON.stringify({ errors, mistakes }));
