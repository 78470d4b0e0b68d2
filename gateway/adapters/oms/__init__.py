"""What an outage management system gets of the outage view: changes alone, singly or, in a storm, many in a message."""

from gateway.adapters.oms.batching import Batches, BatchPolicy
from gateway.adapters.oms.message import batch_message
from gateway.adapters.oms.plan import OutagePlan
from gateway.adapters.oms.report import Report, reports_from_json, reports_to_json

__all__ = ["BatchPolicy", "Batches", "OutagePlan", "Report", "batch_message", "reports_from_json", "reports_to_json"]
