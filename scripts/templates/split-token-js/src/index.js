// The split-token gateway. A client shows only the signature of its JWT, KV has header and payload under the hash of the
// signature, and the API behind the gateway gets the whole token.

const SIGNATURE = /^[A-Za-z0-9_-]{20,2048}$/;

export default {
  async fetch(request, env) {
    const authorization = request.headers.get("Authorization");
    if (authorization === null) return refuse(env);
    const [, signature] = /^Bearer +([^ ]+)$/i.exec(authorization) ?? [];
    if (signature === undefined || !SIGNATURE.test(signature)) return refuse(env, "The token is not the signature of a JWT");

    const value = await env.TOKENS.get(await hash(signature));
    if (value === null) return refuse(env, "The token is unknown or was revoked");
    if (hasExpired(value)) return refuse(env, "The token has expired");

    const onward = new Request(request);
    onward.headers.set("Authorization", `Bearer ${value}.${signature}`);
    return fetch(onward);
  },
};

// The key in KV: the SHA-256 of the signature, in base64.
async function hash(signature) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(signature));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

// KV forgets an entry at its expiry, but a publisher may have given it none.
function hasExpired(value) {
  try {
    const payload = value.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(payload));
    return typeof exp === "number" && exp * 1000 <= Date.now();
  } catch {
    return true;
  }
}

// RFC 6750, section 3: a request without a token is told nothing but the scheme.
function refuse(env, description) {
  const error = description === undefined ? "" : `, error="invalid_token", error_description="${description}"`;
  const headers = { "WWW-Authenticate": `Bearer realm="${env.REALM}"${error}`, "Cache-Control": "no-store" };
  return new Response(null, { status: 401, headers });
}
