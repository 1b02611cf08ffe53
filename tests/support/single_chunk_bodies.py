"""Requests as uvicorn hands them over."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class WholeBodies:
    """Hands a body over in one message, as uvicorn does with a small one; httpx splits even the shortest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = [await receive()]
        while messages[-1]["more_body"]:
            messages.append(await receive())
        whole = {"type": "http.request", "body": b"".join(message["body"] for message in messages)}
        waiting = [whole]

        async def receive_whole() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, receive_whole, send)
