import crypto from 'crypto';

addEventListener('fetch', event => {
  event.respondWith(handleRequest(event.request))
})

/**
* Respond to the request
* @param {Request} request
*/
async function handleRequest(request) {
// Check wether the Authorization header is present and is in the form "Bearer ..."
const authorizationHeader = request.headers.get('Authorization');
if (!authorizationHeader) {
return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'bearer' }});
}
const headerParts = authorizationHeader.split(' ');
if (headerParts.length != 2 || headerParts[0] != 'Bearer') {
return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'bearer' }});
}
const token = headerParts[1];
// hash the value of the token from the request
const hashedToken = crypto.createHash('sha256').update(token).digest("base64");
// fetch the token value from the cache
const tokenValue = await TOKENS.get(hashedToken);
if (!tokenValue) {
return new Response(null, {status: 401, headers: { 'WWW-Authenticate': 'bearer, error=invalid_token'}});
}
// Glue the token together and proxy the request to the API
const authValue = 'Bearer ' + tokenValue + '.' + token;
const newRequest = new Request(request);
newRequest.headers.set('Authorization', authValue);
return fetch(newRequest);
}
