"""Routes: which systems receive a message, read from TOML, checked at load, explained on request. Pure."""

from gateway.routing.explanation import Explanation, Outcome
from gateway.routing.loading import load
from gateway.routing.problems import Problem, RoutingError
from gateway.routing.routes import Route, System
from gateway.routing.table import RouteTable

__all__ = ["Explanation", "Outcome", "Problem", "Route", "RouteTable", "RoutingError", "System", "load"]
