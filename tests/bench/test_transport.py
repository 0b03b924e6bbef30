"""What is compared with the sender really sends: otherwise its ratio would say nothing."""

import asyncio

from bench import transport
from tests.support.smtpd import ScriptedServer


def test_every_message_arrives_over_ten_connections() -> None:
    with ScriptedServer() as server:
        asyncio.run(transport.send(server.port, 35, 3000))
        assert len(server.messages) == 35
        assert server.record.connections == transport.CONNECTIONS
        assert all(2900 < len(message.raw) < 3100 for message in server.messages)
