"""Children are forked beside a running gRPC: the command keeps gRPC's fork handlers out of them."""

import os
import subprocess
import sys

NUM_CHILDREN = 60
# In a process of its own, since gRPC reads the setting once. The traffic keeps gRPC's threads busy.
PROGRAM = f"""
import asyncio, signal, subprocess
import services.cli.__main__
import grpc
from services.process.parent_death import end_with_parent

async def echo(request, context):
    return request

async def main():
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.Echo", {{"Call": handler}}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{{port}}") as channel:
        call = channel.unary_unary("/t.Echo/Call")
        async def keep_calling():
            while True:
                await call(b"x" * 1000)
        callers = [asyncio.create_task(keep_calling()) for _ in range(16)]
        for _ in range({NUM_CHILDREN}):
            child = subprocess.Popen(["true"], preexec_fn=end_with_parent(signal.SIGKILL))
            assert await asyncio.to_thread(child.wait, 30) == 0
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    await server.stop(None)

asyncio.run(main())
"""


def test_children_start_whatever_grpc_does() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_")}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120
    )

    assert ended.returncode == 0, ended.stderr
    assert "fork" not in ended.stderr
    assert "epoll" not in ended.stderr
