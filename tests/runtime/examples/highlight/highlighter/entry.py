from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request):
        return Response("call highlight_code by RPC")

    async def highlight_code(self, code: str, language: str | None = None) -> dict:
        try:
            lexer = get_lexer_by_name(language or "python", stripall=True)
        except ClassNotFound:
            return {"error": f"no language {language!r}", "html": "", "alias": None}
        formatter = HtmlFormatter(cssclass="highlight")
        return {"html": highlight(code, lexer, formatter), "css": formatter.get_style_defs(), "alias": lexer.aliases[0]}
