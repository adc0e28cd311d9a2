"""State of a running service: its models, access control, audit log and metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linnet.monitoring import Metrics, merge
from linnet.monitoring.machine import collect_machine
from linnet.suggestions import did_you_mean
from linnet_serve.access.audit import AuditLog
from linnet_serve.access.gate import Gate
from linnet_serve.access.principal import Principal
from linnet_serve.errors import invalid, missing_model
from linnet_serve.masking import Masking
from linnet_serve.models.hosting import HostedModel
from linnet_serve.models.process_memory import process_bytes
from linnet_serve.receipts import Receipts, read_receipt_key
from linnet_serve.settings import Settings

__all__ = ["Service"]


class Service:
    """A service with its models.

    Attributes:
        settings: of the service.
        models: by name, in the order of the settings.
        gate: access control.
        metrics: counts of the service alone; :meth:`snapshot` adds those of the workers.
        openapi: the OpenAPI document of its application, as JSON.
        audit: the audit log, or None.
        masking: what is masked before texts are queued, or None.
        receipts: writer of receipts, or None.
        body_bytes: bytes of the bodies of requests that are not answered yet.
        ending: the service is ending, and takes no new work.
        started: time of the start, seconds since 1970.
    """

    def __init__(self, settings: Settings) -> None:
        """Read keys and open the audit log; :meth:`start` opens the models.

        Raises:
            LinnetError, OSError: a file of the settings is missing or wrong.
        """
        self.settings, self.openapi = settings, b""
        self.gate = Gate(settings.access)
        self.metrics = Metrics()
        self.metrics.add_collector(self._collect)
        self.models = {model.name: HostedModel(model, self.metrics) for model in settings.models}
        self._names = {
            name: self.models[model.name] for model in settings.models for name in (model.name, *model.aliases)
        }
        self.audit = AuditLog(Path(settings.access.audit)) if settings.access.audit else None
        key = read_receipt_key(Path(settings.receipt_key), make=True) if settings.receipts else None
        self.receipts = None if key is None else Receipts(key)
        self.masking = None if settings.mask is None else Masking(settings.mask, self.metrics)
        self.body_bytes = self._peak = 0
        self.ending = False
        self.started = time.time()

    async def start(self) -> None:
        """Open all models.

        Raises:
            LinnetError: a file was refused; no process is left.
        """
        results = await asyncio.gather(*(model.start() for model in self.models.values()), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                await self.close()
                raise result

    async def close(self) -> None:
        """End all workers, and write the rest of the audit log."""
        self.ending = True
        await asyncio.gather(*(model.close() for model in self.models.values()))
        if self.audit is not None:
            self.audit.close()

    @property
    def ready(self) -> bool:
        """True if every model can answer."""
        return not self.ending and all(model.ready for model in self.models.values())

    def find(self, name: str | None, tasks: Sequence[str], principal: Principal) -> HostedModel:
        """Return a model by its name, or, without one, the first of a task.

        Args:
            name: in the request; None: it has none.
            tasks: tasks that the route can use; none: all.
            principal: who asks.

        Raises:
            ServiceError: there is no such model (404), it has another task (400), or the key is not for it (403).
        """
        if name is None:
            usable = [model for model in self.models.values() if not tasks or model.info.task in tasks]
            if not usable:
                raise missing_model(f"no model here has the task {' or '.join(tasks)}")
            allowed = [model for model in usable if principal.may_use(model.name)]
            principal.require("", (allowed or usable)[0].name)
            return allowed[0]
        found = self._names.get(name)
        if found is None:
            known = [model for model in self.models if principal.may_use(model)]
            raise missing_model(f"there is no model {name!r}{did_you_mean(name, known)}; known are {', '.join(known)}")
        principal.require("", found.name)
        if tasks and found.info.task not in tasks:
            raise invalid(f"the model {name!r} has the task {found.info.task}, expected {' or '.join(tasks)}", "model")
        return found

    async def snapshot(self) -> dict[str, Any]:
        """Return the counts of the service and of all its workers."""
        parts = await asyncio.gather(*(model.snapshots() for model in self.models.values()))
        return merge([self.metrics.snapshot(), *(snapshot for part in parts for snapshot in part)])

    def _collect(self, metrics: Metrics) -> None:
        """Set the gauges of queues and memory."""
        collect_machine(metrics)
        resident = process_bytes("self", "VmRSS")
        for name, model in self.models.items():
            metrics.set("queue_length", model.queued, model=name)
            resident += sum(process_bytes(process, "VmRSS") for process in model.process_ids)
        self._peak = max(self._peak, resident)
        metrics.set("memory", resident, memory="resident")
        metrics.set("memory", self._peak, memory="peak")
        metrics.set("memory", sum(model.info.bytes for model in self.models.values()), memory="model")

    async def reload(self) -> dict[str, str]:
        """Replace every model whose file has changed; return what happened to each."""
        outcomes = {}
        for name, model in self.models.items():
            try:
                outcomes[name] = "replaced" if await model.replace() else "unchanged"
            except Exception as error:  # noqa: BLE001  the old file goes on, whatever is wrong with the new one
                outcomes[name] = f"refused: {error}"
        if self.audit is not None:
            self.audit.reopen()
        return outcomes
