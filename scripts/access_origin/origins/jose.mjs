// The verifier of Cloudflare's documentation, in Node.js and jose: it works unchanged behind edgeworker.
//   TEAM_DOMAIN=http://acme.localhost:8787 POLICY_AUD=... node jose.mjs
import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { TEAM_DOMAIN, POLICY_AUD, PORT = "3000" } = process.env;
const JWKS = createRemoteJWKSet(new URL(`${TEAM_DOMAIN}/cdn-cgi/access/certs`), { cooldownDuration: 0 });

createServer(async (request, response) => {
  const token = request.headers["cf-access-jwt-assertion"];
  if (!token) {
    response.writeHead(403).end("missing required cf authorization token");
    return;
  }
  try {
    const { payload } = await jwtVerify(token, JWKS, { issuer: TEAM_DOMAIN, audience: POLICY_AUD });
    response.writeHead(200).end(`Hello ${payload.email ?? payload.common_name}`);
  } catch (error) {
    response.writeHead(403).end(`invalid token: ${error.code}`);
  }
}).listen(Number(PORT), "127.0.0.1", function () {
  console.log(`listening on ${this.address().port}`);
});
