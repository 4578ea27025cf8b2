from __future__ import annotations

import socket

import pytest

from lms.config import ConfigurationError
from lms.core.serve import require_free


@pytest.mark.parametrize("shares", [False, True])
def test_a_second_server_does_not_share_the_port_of_the_first(shares):
    with socket.socket() as first:
        if shares:  # as Granian's processes do
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        first.listen(1)
        port = first.getsockname()[1]

        with pytest.raises(ConfigurationError, match=str(port)):
            require_free("127.0.0.1", port)

    require_free("127.0.0.1", port)
