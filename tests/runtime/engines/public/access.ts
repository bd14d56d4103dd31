// Lets pass who comes with a valid token of Cloudflare Access: jose and the team's published keys.
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

interface Env {
  TEAM_DOMAIN: string;
  POLICY_AUD: string;
}
let keys: ReturnType<typeof createRemoteJWKSet> | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const token = request.headers.get("cf-access-jwt-assertion");
    if (token === null) return new Response("Missing required CF Access JWT", { status: 403 });
    keys ??= createRemoteJWKSet(new URL(`${env.TEAM_DOMAIN}/cdn-cgi/access/certs`));
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: env.TEAM_DOMAIN,
        audience: env.POLICY_AUD,
        currentDate: new Date(1_790_000_000_000),
      });
      return Response.json({ email: payload.email, kid: protectedHeader.kid });
    } catch (error) {
      const code = error instanceof errors.JOSEError ? error.code : "other";
      return new Response(`Invalid token: ${code}`, { status: 403 });
    }
  },
};
