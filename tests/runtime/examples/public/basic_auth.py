import base64
import hmac

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    def fetch(self, request):
        authorization = request.headers.get("Authorization")
        if not authorization or not authorization.startswith("Basic "):
            return Response("Login required", status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        if not (user == "admin" and hmac.compare_digest(password, self.env.PASSWORD)):
            return Response("Forbidden", status=403)
        return Response("Welcome")
