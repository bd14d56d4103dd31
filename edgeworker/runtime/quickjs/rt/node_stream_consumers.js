// "node:stream/consumers".
import { consumers } from "node:stream";
export const { buffer, arrayBuffer, text, json } = consumers;
export default consumers;
