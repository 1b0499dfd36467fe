"""What fake_api.py can be told to do wrong, what it notes of a request, and how it refuses one."""
import dataclasses

VERBS = ("list", "watch", "get", "create", "delete", "patch", "log")
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
           409: "AlreadyExists", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests",
           500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


@dataclasses.dataclass
class Fault:
    """What goes wrong with requests of a verb: `skip` of them first pass, then `times` (None: all) have it."""
    verb: str
    times: int = 1
    skip: int = 0
    status: int = 0            # answered instead of the work
    retry_after: int = None    # seconds, as a header
    cut: str = ""              # `before` or `after` the work the connection is closed without an answer;
    cut_event: int = None      # a watch: it is closed in the middle of its Nth event (from 0)
    end_after: int = None      # a watch ends in good order after N events
    end_after_bookmark: bool = False  # a watch ends in good order after its first bookmark
    gone_after: int = None     # a watch: an ERROR event of 410 after N events
    is_hung: bool = False      # a watch says nothing, and keeps its connection
    is_doubled: bool = False   # a watch tells each event twice
    is_late: bool = False      # a watch tells each pod's first state again after every newer one
    delay: float = 0           # seconds before the work


@dataclasses.dataclass
class Request:
    verb: str
    namespace: str
    name: str
    query: dict
    headers: dict
    at: float
    status: int = 0
    body: object = None


class Refusal(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Cut(Exception):
    """The connection is to be closed without (more of) an answer."""


def status_object(status, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": REASONS.get(status, "Unknown"), "code": status}
