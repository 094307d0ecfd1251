"""Which services are installed: whoever announces one under the entry-point group `beforehand.services`."""

from importlib.metadata import entry_points

from beforehand.errors import RunnerError
from contracts.service import GROUP, Service


def installed_services() -> list[Service]:
    """By default port. Raises RunnerError if one can't be read: a half installation is not worth starting."""
    services = []
    for entry in entry_points(group=GROUP):
        try:
            service = entry.load()
        except Exception as error:  # whatever its import raises
            raise RunnerError(
                f"the service {entry.name} can't be loaded from {entry.value} ({type(error).__name__}: {error}): "
                "install it again, or uninstall it"
            ) from error
        services.append(service)
    return sorted(services, key=lambda service: service.default_port)
