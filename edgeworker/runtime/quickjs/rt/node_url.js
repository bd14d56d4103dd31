// "node:url", without its old parser.
const { URL, URLSearchParams } = globalThis;
export const fileURLToPath = (url) => decodeURIComponent(new URL(url).pathname);
export const pathToFileURL = (path) => new URL(`file://${path}`);
export { URL, URLSearchParams };
export default { URL, URLSearchParams, fileURLToPath, pathToFileURL };
