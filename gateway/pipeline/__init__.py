"""The way of a message: intake, read, check, decide, deliver, settle."""

from gateway.pipeline.examination import Examiner
from gateway.pipeline.pipeline import Pipeline, Rules
from gateway.pipeline.settlement import Settlement

__all__ = ["Examiner", "Pipeline", "Rules", "Settlement"]
