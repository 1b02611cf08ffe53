// Starts Swagger UI. A file of its own, because the page's Content-Security-Policy lets no inline script run.
// Addresses are relative, so that the page works behind a proxy that adds a prefix.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  validatorUrl: null, // else documents of public hosts would be sent to a validator elsewhere
});
