// The issuer of cloudflare/templates/openauth-template: Hono's JSX pages, jose's keys, passwords by scrypt or PBKDF2, storage in KV.
import { issuer } from "@openauthjs/openauth";
import { PasswordProvider } from "@openauthjs/openauth/provider/password";
import { CloudflareStorage } from "@openauthjs/openauth/storage/cloudflare";
import { createSubjects } from "@openauthjs/openauth/subject";
import { PasswordUI } from "@openauthjs/openauth/ui/password";
import { object, string } from "valibot";

const subjects = createSubjects({ user: object({ id: string() }) });

export default {
  async fetch(request: Request, env: { AUTH_STORAGE: KVNamespace }, ctx: ExecutionContext) {
    const url = new URL(request.url);
    if (url.pathname === "/") {
      url.searchParams.set("redirect_uri", `${url.origin}/callback`);
      url.searchParams.set("client_id", "your-client-id");
      url.searchParams.set("response_type", "code");
      url.pathname = "/authorize";
      return Response.redirect(url.toString());
    }
    if (url.pathname === "/callback") return Response.json({ message: "OAuth flow complete!" });
    return issuer({
      storage: CloudflareStorage({ namespace: env.AUTH_STORAGE as any }),
      subjects,
      providers: {
        password: PasswordProvider(PasswordUI({
          sendCode: async (email, code) => void console.log(`Sending code ${code} to ${email}`),
          copy: { input_code: "Code (check Worker logs)" },
        })),
      },
      allow: async () => true,
      success: async (context, value) => context.subject("user", { id: value.email }),
    }).fetch(request, env, ctx);
  },
};
