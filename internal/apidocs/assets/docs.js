const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null, // it would send the document's address to another host
  withCredentials: true,
});
ui.initOAuth({ clientId: "", clientSecret: "" });
