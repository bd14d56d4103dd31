// A site out of KV, as "wrangler init --site" wrote it: @cloudflare/kv-asset-handler.
import { getAssetFromKV, mapRequestToAsset, MethodNotAllowedError, NotFoundError } from "@cloudflare/kv-asset-handler";

const ASSET_MANIFEST = { "index.html": "index.abc123.html", "css/site.css": "css/site.def456.css", "404.html": "404.789abc.html" };

export default {
  async fetch(request, env, ctx) {
    const event = { request, waitUntil: (promise) => ctx.waitUntil(promise) };
    const options = { ASSET_NAMESPACE: env.STATIC, ASSET_MANIFEST, cacheControl: { browserTTL: 60, edgeTTL: 120, bypassCache: false } };
    try {
      const page = await getAssetFromKV(event, options);
      const response = new Response(page.body, page);
      response.headers.set("X-Content-Type-Options", "nosniff");
      return response;
    } catch (error) {
      if (error instanceof MethodNotAllowedError) return new Response("no", { status: 405 });
      if (!(error instanceof NotFoundError)) throw error;
      const missing = (one) => new Request(`${new URL(mapRequestToAsset(one).url).origin}/404.html`, one);
      const page = await getAssetFromKV(event, { ...options, mapRequestToAsset: missing });
      return new Response(page.body, { ...page, status: 404 });
    }
  },
};
