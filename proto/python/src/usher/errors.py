"""Why a call did not do what was asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# Not decided, or nobody knows: the same call may be sent again, which its ids make safe.
_WORTH_IT = {
    "CONNECTIONS_REACHED",
    "DEADLINE_EXCEEDED",
    "INBOX_FULL",
    "OUTCOME_UNKNOWN",
    "OVERLOADED",
    "RATE_LIMITED",
    "SHARD_NOT_SERVING",
    "SHARD_RECOVERING",
    "DISK_FULL",
    "DISK_UNWRITABLE",
}


class UsherError(Exception):
    """Whatever this client raises."""


@dataclass
class Refused(UsherError):
    """The server said no."""

    reason: str
    """Why, in UPPER_SNAKE; empty if the refusal is gRPC's own."""
    message: str
    """For people."""
    code: grpc.StatusCode
    metadata: dict[str, str] = field(default_factory=dict)
    """The limit, the deadline, the seats: what belongs to the reason."""
    violations: dict[str, str] = field(default_factory=dict)
    """Fields of the request, and what is wrong with each."""
    retry_after: float = 0.0
    """Seconds; repeating it before is in vain."""

    def __str__(self) -> str:
        return f"{self.message} ({self.reason or self.code.name})"

    @property
    def is_worth_repeating(self) -> bool:
        """Whether the same call may help if it is sent again."""
        return self.reason in _WORTH_IT or (not self.reason and self.code is grpc.StatusCode.UNAVAILABLE)


@dataclass
class TimedOut(UsherError):
    """No answer came in time. It may have happened, or happen still: repeat it with the same id."""

    waited: float
    """Seconds."""
    last: Refused | None
    """Why the last attempt failed, if one did."""

    def __str__(self) -> str:
        return f"no answer within {self.waited:.1f} s" + (f"; last: {self.last}" if self.last else "")


def refusal(error: grpc.RpcError) -> Refused:
    """A failed call as what Usher said."""
    refused = Refused("", error.details() or "", error.code())
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info, wrong, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            refused.reason, refused.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(wrong):
            refused.violations = {each.field: each.description for each in wrong.field_violations}
        elif detail.Unpack(retry):
            refused.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    return refused
