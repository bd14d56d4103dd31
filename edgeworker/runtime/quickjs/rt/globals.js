// Names that the Workers runtime has besides.
import { define } from "edgeworker:host";

class WorkerGlobalScope extends EventTarget {}
class ServiceWorkerGlobalScope extends WorkerGlobalScope {}
define({
  self: globalThis,
  navigator: { userAgent: "Cloudflare-Workers", hardwareConcurrency: 1, language: "en-US", languages: ["en-US"] },
  WorkerGlobalScope,
  ServiceWorkerGlobalScope,
  scheduler: { wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)) },
  reportError: (error) => console.error(error),
});
