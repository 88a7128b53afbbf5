"""How the broker is spoken to: by the application, and by whoever asks whether it answers."""

from typing import Any
from urllib.parse import urlsplit

from kombu.transport import redis, virtual

from config.settings import BrokerSettings


class Places(redis.QoS):
    """The messages a worker has in hand, of which it may have only so many.

    As Kombu comes, a message stays in hand for good if the connection breaks just while the broker is told of its end: a
    worker that may have one takes none any more. Here its place is free all the same. The broker has the message still
    and gives it out again after the visibility timeout; then its step is found done.
    """

    def ack(self, delivery_tag: str) -> None:
        """As in Kombu."""
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """As in Kombu."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


redis.Channel.QoS = Places  # an address that names its transport takes no other class than the one it names


def is_redis(broker: BrokerSettings) -> bool:
    """True for a broker of that family that is asked for what it holds."""
    return broker.url.get_secret_value().startswith(("redis://", "rediss://", "unix://", "sentinel://"))


def client_of(broker: BrokerSettings) -> Any:
    """A client of such a broker; behind sentinels, of whoever is the master when it is asked."""
    from redis import Redis
    from redis.sentinel import Sentinel

    url = broker.url.get_secret_value()
    if not url.startswith("sentinel"):
        return Redis.from_url(url, **_PATIENCE)
    every = [urlsplit(one) for one in url.split(";")]
    sentinels = [(one.hostname, one.port or 26379) for one in every]
    number = next((one.path.strip("/") for one in every if one.path.strip("/")), "0")
    found: Any = Sentinel(sentinels, **_PATIENCE)  # type: ignore[no-untyped-call]
    return found.master_for(broker.master_name, username=every[0].username or None, password=every[0].password or None, db=int(number), **_PATIENCE)


_PATIENCE: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 5}


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
    master = {"master_name": broker.master_name} if kind == "sentinel" else {}
    return master | {
        "visibility_timeout": int(broker.visibility_timeout.total_seconds()),
        "unacked_restore_interval": 10, "unacked_restore_throttle": 1,  # look every 10 s, not every 100
        "unacked_mutex_expire": 30, "unacked_restore_limit": 100,
        "socket_timeout": 30, "socket_connect_timeout": 5, "socket_keepalive": True, "health_check_interval": 25,
        "global_keyprefix": f"{broker.queue_prefix}:",
    }  # fmt: skip
