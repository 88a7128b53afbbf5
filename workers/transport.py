"""How the broker is spoken to: by the application, and by whoever asks whether it answers."""

from typing import Any

from config.settings import BrokerSettings


def transport_options(broker: BrokerSettings) -> dict[str, Any]:
    """Options of the transport the broker's address names."""
    kind = broker.url.get_secret_value().split(":", 1)[0]
    if kind.startswith("amqp"):
        return {"confirm_publish": True}
    if kind == "sqs":
        return {
            "region": broker.region, "is_secure": broker.is_secure, "queue_name_prefix": f"{broker.queue_prefix}-",
            "wait_time_seconds": 2, "polling_interval": 0.1,
            "visibility_timeout": int(broker.visibility_timeout.total_seconds()),
        }  # fmt: skip
    return {
        "visibility_timeout": int(broker.visibility_timeout.total_seconds()),
        "unacked_restore_interval": 10, "unacked_restore_throttle": 1,  # look every 10 s, not every 100
        "unacked_mutex_expire": 30, "unacked_restore_limit": 100,
        "socket_timeout": 30, "socket_connect_timeout": 5, "socket_keepalive": True, "health_check_interval": 25,
        "global_keyprefix": f"{broker.queue_prefix}:",
    }  # fmt: skip
