"""ApiVersions (18), versions 0 to 4. No features are announced.

A version that is not served is answered in version 0 with UNSUPPORTED_VERSION and our own range, so that the client can step
down (KIP-511); the server makes that answer, since such a request cannot be parsed.
"""

from core_log.errors import ErrorCode
from core_log.handlers.registry import APIS, Answered, Call, api
from core_log.protocol.messages.api18_api_versions import ApiVersion, ApiVersionsRequest, ApiVersionsResponse


@api(ApiVersionsRequest)
def handle(request: ApiVersionsRequest, call: Call) -> Answered:  # noqa: ARG001 every handler has this shape
    return served(ErrorCode.NONE)


def served(error: ErrorCode) -> ApiVersionsResponse:
    """What is registered."""
    return ApiVersionsResponse(
        error_code=error,
        api_keys=[
            ApiVersion(api_key=key, min_version=APIS[key].advertised.first, max_version=APIS[key].advertised.last)
            for key in sorted(APIS)
        ],
    )
