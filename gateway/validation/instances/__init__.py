"""Instances of what a schema declares: an example that a person could send, or whatever a test wants to choose.

Reads xmlschema's object model, which is slow to load: import it when it is needed.
"""

from gateway.validation.instances.exemplary import Full, Minimal
from gateway.validation.instances.generating import Choices, NotWritable, Place, instance_of
from gateway.validation.instances.values import CODES, identity
from gateway.validation.instances.wanted import wanted_in

__all__ = ["CODES", "Choices", "Full", "Minimal", "NotWritable", "Place", "identity", "instance_of", "wanted_in"]
