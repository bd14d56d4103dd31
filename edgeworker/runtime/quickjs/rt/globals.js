// Names that the Workers runtime has besides.
import { define, host } from "edgeworker:host";

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

// What JSON.parse() says of a text that is not JSON are V8's words: the edge has them.
const { parse } = JSON;
JSON.parse = (text, reviver) => {
  const given = `${text}`;
  let value;
  try {
    value = parse(given);
  } catch (error) {
    throw new SyntaxError(host("json_error", given) || error.message);
  }
  return reviver === undefined ? value : parse(given, reviver);
};
