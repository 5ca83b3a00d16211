"""Processor seconds of the tasks of a mapping on Spark, by step: a task that writes its times to a file.

It is a module of its own because the executors import it.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

from lodpipe.engine.spark import engine as spark_engine
from lodpipe.engine.spark.kernel import Batches, Task, opened


class MeasuredTask(Task, frozen=True):
    """A task with a line of JSON in `log`: its step, seconds to load and to work, bytes that it gives."""

    log: str = ""

    def __call__(self, batches: Batches) -> Batches:
        """As the task does."""
        start, size = time.process_time(), 0
        with opened(self.memory) as (engine, folder):
            notes = self.loader.load(engine, batches, folder)
            loaded = time.process_time()
            for batch in self.work(engine, folder, notes):
                size += batch.nbytes
                yield batch
        step = {"SendRows": 1, "WriteLines": 2}[type(self.work).__name__]
        seconds = {"load": loaded - start, "work": time.process_time() - loaded}
        with Path(self.log).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **seconds, "bytes": size}) + "\n")


def measured(log: Path) -> None:
    """From now on tasks of this process are measured."""
    vars(spark_engine)["Task"] = partial(MeasuredTask, log=str(log))
