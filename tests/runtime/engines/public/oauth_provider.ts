// An authorization server and its API in one worker: @cloudflare/workers-oauth-provider, as its README shows it.
import { OAuthProvider, type OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import { WorkerEntrypoint } from "cloudflare:workers";

interface Env {
  OAUTH_KV: KVNamespace;
  OAUTH_PROVIDER: OAuthHelpers;
}

class Api extends WorkerEntrypoint<Env> {
  fetch(request: Request) {
    return Response.json({ path: new URL(request.url).pathname, props: (this.ctx as any).props });
  }
}
const defaultHandler = {
  async fetch(request: Request, env: Env) {
    const url = new URL(request.url);
    if (url.pathname !== "/authorize") return new Response("not here", { status: 404 });
    const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
    const client = await env.OAUTH_PROVIDER.lookupClient(asked.clientId);
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
      request: asked, userId: "ann", metadata: { label: client?.clientName }, scope: asked.scope, props: { userId: "ann", name: "Ann" },
    });
    return Response.redirect(redirectTo, 302);
  },
};

export default new OAuthProvider<Env>({
  apiRoute: "/api/",
  apiHandler: Api as any,
  defaultHandler: defaultHandler as any,
  authorizeEndpoint: "/authorize",
  tokenEndpoint: "/oauth/token",
  clientRegistrationEndpoint: "/oauth/register",
  scopesSupported: ["read", "write"],
  resourceMetadata: { resource: "https://shop.example.com/api/", authorization_servers: ["https://shop.example.com"] },
} as any);
