// Shows the API's document in Swagger UI, in the colours that the reader prefers.
const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

dark.addEventListener("change", paint);
paint();

window.SwaggerUIBundle({
  url: document.querySelector("#api").dataset.url,
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null, // nothing is sent elsewhere
});
