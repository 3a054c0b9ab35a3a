"""DescribeCluster (60), versions 0 to 2: this one node. Controllers are no endpoint of their own here."""

from core_log.errors import ErrorCode
from core_log.handlers import node
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api60_describe_cluster import (
    DescribeClusterBroker,
    DescribeClusterRequest,
    DescribeClusterResponse,
)
from core_log.settings import NODE_ID

BROKERS = 1


@api(DescribeClusterRequest)
def handle(request: DescribeClusterRequest, call: Call) -> Answered:
    if request.endpoint_type != BROKERS:
        return DescribeClusterResponse(
            error_code=ErrorCode.MISMATCHED_ENDPOINT_TYPE,
            error_message="this is a broker, not a controller",
            cluster_id=call.broker.cluster_id,
            brokers=(),
        )
    host, port = node.endpoint(call)
    return DescribeClusterResponse(
        error_code=0,
        cluster_id=call.broker.cluster_id,
        controller_id=NODE_ID,
        brokers=[DescribeClusterBroker(broker_id=NODE_ID, host=host, port=port)],
        cluster_authorized_operations=node.CLUSTER_OPERATIONS
        if request.include_cluster_authorized_operations
        else node.NO_OPERATIONS,
    )
