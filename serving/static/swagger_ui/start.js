// Shows the API's document in Swagger UI, in the colours that the reader prefers.
const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

dark.addEventListener("change", paint);
paint();

const { url, csrf } = document.querySelector("#api").dataset;

// A change within a session carries what only this page knows.
function withCsrf(request) {
  if (csrf && new URL(request.url, location).origin === location.origin) {
    request.headers["X-CSRF-Token"] = csrf;
  }
  return request;
}

window.SwaggerUIBundle({
  url,
  requestInterceptor: withCsrf,
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null, // nothing is sent elsewhere
});
