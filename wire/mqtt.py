"""The MQTT 5 adapter: one client for agents, coordinator and business systems written in Python.

    mqtt = Mqtt(options, client_id="kiosk-1", will=(state_topic, lost), subscriptions=[(commands, 1)],
                on_connected=birth)
    await mqtt.start()
    while True:
        received = await mqtt.next()
        ...                      # commit what follows from it
        mqtt.ack(received)
    await mqtt.stop([(state_topic, offline, True)])

The client id is fixed and the session is never started clean, so the broker keeps what arrives meanwhile;
an acknowledgement is sent only by `ack`. A publish is never queued while there is no connection: what must
not be lost stands in the caller's outbox (the broker's QoS is not durability).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from wire.codec import MAX_PAYLOAD, encode
from wire.messages import Message
from wire.mqtt_client import RECEIVE_MAXIMUM, Opening
from wire.mqtt_connection import Connection, ConnectionFailedError, Counts, Received
from wire.mqtt_options import BrokerOptions, TlsOptions

__all__ = ["BrokerOptions", "Counts", "Mqtt", "Received", "TlsOptions"]

logger = logging.getLogger(__name__)

INBOX: Final = 4 * RECEIVE_MAXIMUM
"""Messages that wait for `next`. The broker stops at RECEIVE_MAXIMUM unacknowledged ones; the rest is room
for what was left over when a connection was lost, and for retained messages without acknowledgement."""

FAREWELL_S: Final = 2.0
"""How long `stop` waits for the broker to acknowledge all farewells."""

STABLE_S: Final = 5.0
"""A connection that lasted this long counts as good: the next reconnect starts with the shortest wait.
Two clients with one id throw each other out at once; they must not do so five times a second."""


class Mqtt:
    """See the module. Used from one event loop.

    Args:
        options: The broker.
        client_id: Fixed: the node's id. Two clients with one id throw each other out.
        will: Topic and message that the broker publishes, retained, when this client is lost; None for one
            that only reads.
        subscriptions: (topic filter, QoS 0 or 1), renewed on every connection.
        on_connected: The birth: awaited after the subscriptions were granted, on every connection. When it
            raises, the connection is dropped and tried again. It may publish; it should not read.
        on_disconnected: Called once for every connection that was up, with the reason.
    """

    def __init__(
        self,
        options: BrokerOptions,
        *,
        client_id: str,
        will: tuple[str, Message] | None,
        subscriptions: Sequence[tuple[str, int]],
        on_connected: Callable[[], Awaitable[None]],
        on_disconnected: Callable[[str], None] | None = None,
    ) -> None:
        self._options = options
        will_topic, will_payload = (will[0], encode(will[1])) if will is not None else (None, b"")
        self._opening = Opening(options, client_id, will_topic, will_payload, tuple(subscriptions))
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._connection: Connection | None = None
        self._inbox: deque[Received] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.counts = Counts()

    @property
    def connected(self) -> bool:
        """Whether the subscriptions are granted and nothing was lost since; true during the birth."""
        return self._connection is not None and not self._connection.closed.done()

    async def start(self) -> None:
        """Begin to connect, and to reconnect for ever; returns at once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"mqtt {self._opening.client_id}")

    async def stop(self, farewell: Sequence[tuple[str, Message, bool]] = ()) -> None:
        """Publish the farewells (topic, message, retain) in their order, then disconnect.

        Waits at most FAREWELL_S for the broker; the will is not published.
        """
        connection = self._connection
        if connection is not None:
            try:
                async with asyncio.timeout(FAREWELL_S):
                    for topic, message, retain in farewell:
                        await connection.publish(topic, encode(message), 1, retain, None)
            except TimeoutError:
                logger.warning("the broker did not acknowledge the farewell")
            connection.close("stopped", cleanly=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def subscribe(self, topic: str) -> None:
        """From now on also this topic filter, with QoS 1, on this connection and every later one."""
        row = (topic, 1)
        if row not in self._opening.subscriptions:
            more = (*self._opening.subscriptions, row)
            self._opening = msgspec.structs.replace(self._opening, subscriptions=more)
            if self._connection is not None:
                self._connection.subscribe([row])

    def unsubscribe(self, topic: str) -> None:
        """No longer this one of `subscribe`; what is on its way may still come."""
        row = (topic, 1)
        if row in self._opening.subscriptions:
            left = tuple(other for other in self._opening.subscriptions if other != row)
            self._opening = msgspec.structs.replace(self._opening, subscriptions=left)
            if self._connection is not None:
                self._connection.unsubscribe(topic)

    async def publish(
        self,
        topic: str,
        message: Message | bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: float | None = None,
    ) -> bool:
        """Publish and wait for the broker's acknowledgement.

        Args:
            qos: 0 (True as soon as it was handed over) or 1.
            expiry_s: The broker drops it undelivered after this long; rounded up to whole seconds.

        Returns: True only when acknowledged. False when there is no connection, when it was lost before the
            acknowledgement (the broker may have it all the same) or when the broker refused it.
        """
        payload = self._payload(topic, message)
        if payload is None or self._connection is None:
            return False
        return await self._connection.publish(topic, payload, qos, retain, expiry_s)

    def publish_nowait(
        self,
        topic: str,
        message: Message | bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: float | None = None,
    ) -> bool:
        """Write to the socket now and do not wait. False without a connection or with too much under way."""
        payload = self._payload(topic, message)
        if payload is None or self._connection is None:
            return False
        return self._connection.publish_nowait(topic, payload, qos, retain, expiry_s)

    async def next(self) -> Received:
        """The next message, in the order of arrival. For one reader."""
        while not self._inbox:
            self._arrived.clear()
            await self._arrived.wait()
        return self._inbox.popleft()

    def ack(self, received: Received) -> None:
        """Tell the broker that this message is done with.

        On another connection than the one that delivered it nothing is sent: the broker delivers it again.
        """
        received._connection.ack(received)

    async def round_trip(self, timeout_s: float) -> bool:
        """Whether the broker answers within `timeout_s`; if not, the connection is given up and made anew.

        False without a connection. That is no reason to let a watchdog bite: there may be no broker.
        """
        connection = self._connection
        return connection is not None and await connection.round_trip(timeout_s)

    def _payload(self, topic: str, message: Message | bytes) -> bytes | None:
        payload = message if isinstance(message, bytes) else encode(message)
        if len(payload) > MAX_PAYLOAD:
            self.counts.oversized += 1
            logger.error("not published on %s: %d bytes, at most %d", topic, len(payload), MAX_PAYLOAD)
            return None
        return payload

    def _on_message(self, received: Received) -> bool:
        if len(self._inbox) >= INBOX:
            return False
        self._inbox.append(received)
        self._arrived.set()
        return True

    async def _run(self) -> None:
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            connection = Connection(self._opening, self.counts, self._on_message)
            reason = "stopped"
            try:
                reason = await self._connect_and_serve(connection)
            except ConnectionFailedError as error:
                reason = str(error)
            except Exception as error:
                # Whatever went wrong, giving up would leave a node silent for ever.
                logger.exception("connection to the broker")
                reason = f"{type(error).__name__}: {error}"
            finally:
                was_up = self._connection is connection
                self._connection = None
                connection.close(reason)
                if was_up:
                    self._tell_disconnected(reason)
            if was_up or failures == 0:
                where = f"{self._options.host}:{self._options.port}"
                logger.warning("no broker at %s: %s; trying again until there is one", where, reason)
            if asyncio.get_running_loop().time() - began >= STABLE_S:
                failures = 0
            # Full jitter: hundreds of clients that lost one broker do not come back in one instant.
            ceiling = min(
                self._options.reconnect_max_s, self._options.reconnect_min_s * 2 ** min(failures, 16)
            )
            failures += 1
            await asyncio.sleep(random.uniform(0, ceiling))

    def _tell_disconnected(self, reason: str) -> None:
        if self._on_disconnected is None:
            return
        try:
            self._on_disconnected(reason)
        except Exception:
            # Whoever listens may be wrong; this client has to go on connecting.
            logger.exception("on_disconnected")

    async def _connect_and_serve(self, connection: Connection) -> str:
        session_present = await connection.open()
        if session_present:
            # The broker delivers again what was not acknowledged; the copies here could not be.
            unacknowledged = [r for r in self._inbox if r.qos and r._connection is not connection]
            for received in unacknowledged:
                self._inbox.remove(received)
        self._connection = connection
        self.counts.connections += 1
        logger.info(
            "connected to the broker at %s:%d (%s session)",
            self._options.host,
            self._options.port,
            "known" if session_present else "new",
        )
        # What was subscribed while this connection was being opened.
        if late := [row for row in self._opening.subscriptions if row not in connection.subscribed]:
            connection.subscribe(late)
        birth = asyncio.ensure_future(self._on_connected())
        serving = asyncio.ensure_future(connection.serve())
        try:
            await asyncio.wait([birth, serving], return_when="FIRST_COMPLETED")
            if birth.done():
                birth.result()
            return await serving
        finally:
            birth.cancel()
            serving.cancel()
            await asyncio.gather(birth, serving, return_exceptions=True)
