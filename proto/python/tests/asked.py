"""Asks through the client what standard input says, a call a line, and prints what it raised: so the server's table of refusals
goes through it. A line is a method's full name and its request's bytes in hex."""

from __future__ import annotations

import json
import sys

from google.protobuf import descriptor_pool, message_factory

import usher


def main() -> None:
    with usher.connect(sys.argv[1], timeout=60) as inventory:
        stubs = {"Inventory": inventory.commands, "Groups": inventory.groups, "Shows": inventory.shows, "Availability": inventory.availability}
        for line in sys.stdin:
            name, _, request = line.strip().partition(" ")
            method = descriptor_pool.Default().FindMethodByName(name)
            message = message_factory.GetMessageClass(method.input_type).FromString(bytes.fromhex(request))
            try:
                inventory.run(getattr(stubs[method.containing_service.name], method.name), message)
                answer = {}
            except usher.Refused as refused:
                answer = {"reason": refused.reason, "message": refused.message, "metadata": refused.metadata}
            print(json.dumps(answer), flush=True)


main()
