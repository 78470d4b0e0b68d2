"""What each noun and Get profile is for, in a sentence of our own; and what a schema says of its own certainty."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.settings import Settings

OWN: Final = "not the standard's"
"""Stands in what a schema says of itself where it is a proposal of cimgate's."""

SENTENCES: Final = {
    "AuxiliaryAgreementConfig": "Agreements beside the supply itself, such as the repayment of a debt.",
    "ComModuleConfig": "Communication modules of meters and other devices: what they are and how they are set up.",
    "CustomerAccountConfig": "Accounts under which customers are billed.",
    "CustomerAgreementConfig": "Contracts between customers and a supplier for a service at a place.",
    "CustomerConfig": "Customers: who they are and how they are reached.",
    "CustomerMeterDataSet": "All master data about customers and their meters in one message, for a first load.",
    "EndDeviceConfig": "Devices at the end of the network other than meters: what they are and what they can do.",
    "EndDeviceControls": "Commands to devices: disconnect, connect, shed load, show a text or a price.",
    "EndDeviceEvents": "What devices report: outage and restoration, tampering, alarms, commands carried out.",
    "EndDeviceFirmware": "Which firmware which devices have, or shall have and from when.",
    "EndDeviceGroups": "Groups of devices that are commanded or read together.",
    "MasterDataLinkageConfig": "Which meter hangs at which usage point, of which customer, account and so on.",
    "MeterConfig": "Meters: what they are, their registers and channels, how they are set up.",
    "MeterReadings": "What meters measured: register values, interval values, and the events kept with them.",
    "MeterReadSchedule": "A standing order to read meters at certain times, until it is canceled.",
    "MeterServiceRequests": "Work on meters: installation, exchange, inspection, disconnection.",
    "OperationSet": "Several changes of any nouns in one message, in order or all or nothing (Annex K).",
    "PricingStructureConfig": "Price structures and their tariffs.",
    "ReceiptRecord": "Receipts of payments, with what was paid and by what means.",
    "ServiceCategoryConfig": "Kinds of service: electricity, gas, water.",
    "ServiceLocationConfig": "Places where customers get service: address and access.",
    "ServiceSupplierConfig": "Companies that supply a service: the utility itself and retailers.",
    "TransactionRecord": "Transactions of payment metering: sales of credit, charges, reversals.",
    "UsagePointConfig": "Points where service is delivered: their rating, state and tariff.",
    "UsagePointGroups": "Groups of usage points, such as those behind a feeder.",
    "UsagePointLocationConfig": "Where usage points are: address, position, how to get there.",
    "GetCustomerMeterDataSet": "Which customers' data set is asked for.",
    "GetEndDeviceConfig": "Which devices' master data is asked for.",
    "GetEndDeviceControls": "Which controls are asked for: of which devices, when.",
    "GetEndDeviceEvents": "Which events are asked for: of which meters, of which types, when.",
    "GetMeterConfig": "Which meters' master data is asked for.",
    "GetMeterReadings": "Which readings are asked for: of which devices, of which types, when.",
    "GetMeterReadSchedule": "Which schedules are asked for.",
    "GetMeterServiceRequests": "Which service requests are asked for: for which meters, when.",
    "GetUsagePointConfig": "Which usage points' master data is asked for.",
}


def sentence(name: str) -> str:
    """Give what a noun or Get profile is for; of one that a site has added, that it has."""
    return SENTENCES.get(name, "A noun that your own schemas add.")


def bases(settings: "Settings") -> dict[str, str]:
    """Give what the schema of each namespace rests on; empty where a schema does not say."""
    from gateway import resources  # noqa: PLC0415 - heavy

    ours = set(resources.schema_sources().values())
    texts = resources.schema_sources(*([] if settings.schemas is None else [settings.schemas]))
    return {
        resources.target_namespace(raw, name): resources.stated_basis(raw)
        if raw in ours
        else f"your folder {settings.schemas}"
        for name, raw in texts.items()
    }
