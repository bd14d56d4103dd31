// The two workers of "OAuth Auth Server through Workers" in one file: each of its fragments, with what it left out added.
import * as jwt from "jsonwebtoken";
import { hosts } from "./private";

declare const CODES: KVNamespace, TOKENS: KVNamespace;
type HookResponse = { body?: unknown; errors: unknown[] };

export const credentials = {/* for demo purposes, ideally use KV to store secrets */
  clients: [{
    id: "victoriasclient",
    secret: "victoriassecret"
  }],
  client: { secret: "victoriassecret" },
  storage: {
    secret: "somesecrettodecryptfromtheKV"
  }
}
export const paths = {
  auth: {
    authorize: hosts.auth + "/authorize",
    login: hosts.auth + "/login",
    code: hosts.auth + "/code",
  },
  token: {
    resource: hosts.token + "/resource",
    token: hosts.token + "/authorize",
  }
}

const email = "ann@example.com"
const init = { headers: { "content-type": "application/json" } }
const getCookie = (field: string | null, name: string) => new RegExp(`(?:^|; )${name}=(?:Bearer )?([^;]*)`).exec(field ?? "")?.[1] ?? ""
const getTokenFromRequest = (request: Request) => getCookie(request.headers.get("cookie"), "session")
const verifyUser = async (request: Request) => ({ msg: getTokenFromRequest(request) === "" ? "403" : "ok", pwd: "" })
const registerNewUser = (email: string, pwd: string) => new Response(`${email}${pwd}`)
const give403Page = () => "<h1>403</h1>"
const validClientSecret = (request: Request) => new URL(request.url).searchParams.get("client_secret") === credentials.clients[0].secret
const errorResponse = () => new Response(give403Page(), { status: 403 })
const factoryIError = (error: object) => error
const factoryTokenResponse = (values: object) => ({ ...values, errors: [] as unknown[] })
const factoryHookResponse = (values: object): HookResponse => ({ ...values, errors: [] })
const factoryJWTPayload = () => ({ sub: "" }) as any
const isExpired = (token: string | null) => token === null
const getUsersPersonalBody = (sub: string) => ({ of: sub })

addEventListener("fetch", (event: FetchEvent) => {
 const url = new URL(event.request.url);
 if (url.pathname.includes("/authorize"))
  return event.respondWith(giveLoginPageResponse(event.request));
})

export async function giveLoginPageResponse(request: Request) {
 let token = getTokenFromRequest(request)
 if (token) { //user already signed in
  return new Response(giveAcceptPage(request), { headers: { "content-type": "text/html" } })
 }
 return new Response("log in", { status: 401 })
}

export function giveAcceptPage(request: Request) {
  let req_url = new URL(request.url);
  let params = req_url.search
  let fetchCodeURL = paths.auth.code + params
  return `<!DOCTYPE html>
      <a href="${fetchCodeURL}"> Accept</button>
      `
}

addEventListener("fetch", (event: FetchEvent) => {
 const url = new URL(event.request.url);
 if (url.pathname.includes("/code"))
  return event.respondWith(redirectCodeToConsumer(event.request));
})
export async function redirectCodeToConsumer(request: Request) {
 let session = await verifyUser(request)

 if (session.msg == "403") return new Response(give403Page(), { status: 403 })
 if (session.msg == "dne") return registerNewUser(email, session.pwd)
 let code = Math.random().toString(36).substring(2, 12)
 try {
  let req_url = new URL(request.url)
  let redirect_uri = new URL(encodeURI(req_url.searchParams.get("redirect_uri")))
  let client_id = new URL(encodeURI(req_url.searchParams.get("client_id")))
  // @ts-ignore
  await CODES.put(client_id + email, code)
  redirect_uri.searchParams.set("code", code);
  redirect_uri.searchParams.set("response_type", "code");
  return Response.redirect(redirect_uri.href, 302);
 } catch (e) {
  // @ts-ignore
  await CODES.delete(email, code)
  return new Response(
   JSON.stringify(factoryIError({ message: "error with the URL passed in" + e})),
  { status: 500 });
 }
}

addEventListener("fetch", (event: FetchEvent) => {
 const url = new URL(event.request.url);
 if (url.pathname.includes("/token"))
  return event.respondWith(giveToken(event.request));
 if (url.pathname.includes("/resource"))
  return event.respondWith(giveResource(event.request));
})

export async function giveToken(request: Request) {
 let req_url = new URL(request.url);
 let code = req_url.searchParams.get("code");
 let email = req_url.searchParams.get("email");
 let headers = new Headers({ "content-type": "application/json" })
 if (code){
   if(!validClientSecret(request)) return errorResponse()
  // @ts-ignore
  let storedCode = await CODES.get(email)
  if(code != storedCode) return new Response(give403Page(), { status:403})

  let tokenJWT = jwt.sign(email, credentials.client.secret);
  let token = tokenJWT
  headers.append("set-cookie", "token=Bearer " + tokenJWT);
  // @ts-ignore
  await TOKENS.put(email, tokenJWT)
  var respBody = factoryTokenResponse({
   "access_token": tokenJWT,
   "token_type": "bearer",
   "expires_in": 2592000,
   "refresh_token": token,
   "token": token
  })
 } else {
  respBody = factoryTokenResponse({})
  respBody.errors.push(factoryIError({ message: "there was no code sent to the authorize token url" }))
 }
 return new Response(JSON.stringify(respBody), { headers });
}

export async function giveResource(request: Request) {
 var respBody: HookResponse = factoryHookResponse({})
 let token = ""
 let decodedJWT = factoryJWTPayload()
 try { //validate request is who they claim
  token = getCookie(request.headers.get("cookie"), "token")
  if (!token) token = request.headers.get("Authorization").substring(7)
  decodedJWT = jwt.verify(token, credentials.client.secret)
  if (typeof decodedJWT === "string") decodedJWT = { sub: decodedJWT }
  // @ts-ignore
  let storedToken = await TOKENS.get(decodedJWT.sub)
  if (isExpired(storedToken)) throw new Error("token is expired") /* TODO instead of throwing error send to refresh */
  if (storedToken != token) throw new Error("token does not match what is stored")
 }
 catch (e) {
  respBody.errors.push(factoryIError({ message: e.message, type: "oauth" }))
  return new Response(JSON.stringify(respBody), init)
 }
 respBody.body = getUsersPersonalBody(decodedJWT.sub)
 return new Response(JSON.stringify(respBody), init)
}
