// Starts the viewer of the API's documentation; a file of its own because the content policy allows no inline script.
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
});
