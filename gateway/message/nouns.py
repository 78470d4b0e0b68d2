"""The nouns of IEC 61968-9: each is a profile with a namespace and a schema of its own."""

from typing import Final

from lxml import etree

OPERATION_SET: Final = "OperationSet"
"""The noun of execute and executed (Annex K); it has no profile, its element is part of the envelope."""

PART9_NOUNS: Final = frozenset(
    {
        "AuxiliaryAgreementConfig",
        "ComModuleConfig",
        "CustomerAccountConfig",
        "CustomerAgreementConfig",
        "CustomerConfig",
        "CustomerMeterDataSet",
        "EndDeviceConfig",
        "EndDeviceControls",
        "EndDeviceEvents",
        "EndDeviceFirmware",
        "EndDeviceGroups",
        "MasterDataLinkageConfig",
        "MeterConfig",
        "MeterReadings",
        "MeterReadSchedule",
        "MeterServiceRequests",
        "PricingStructureConfig",
        "ReceiptRecord",
        "ServiceCategoryConfig",
        "ServiceLocationConfig",
        "ServiceSupplierConfig",
        "TransactionRecord",
        "UsagePointConfig",
        "UsagePointGroups",
        "UsagePointLocationConfig",
    }
)

_PROFILE_BASE: Final = "http://iec.ch/TC57/2011/"


def profile_namespace(noun: str) -> str:
    """Give the namespace of a noun's profile, e.g. `http://iec.ch/TC57/2011/MeterReadings#`."""
    return f"{_PROFILE_BASE}{noun}#"


def get_profile(noun: str) -> str:
    """Give the name of the profile that carries the parameters of a get: `GetMeterReadings`."""
    return f"Get{noun}"


def agrees_with(noun: str, root: etree.QName) -> bool:
    """Tell whether a payload root belongs to a noun: same local name, namespace ending in `/<Noun>#` [inferred]."""
    return root.localname == noun and (root.namespace or "").endswith(f"/{noun}#")
