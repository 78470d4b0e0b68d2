"""cimgate: a message gateway for electric utilities (IEC 61968-9 over the IEC 61968-100 envelope and AMQP)."""

__version__ = "0.1.0"
