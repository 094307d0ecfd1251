"""What can go wrong around the runner. Each message is one sentence or two: what, where, how to mend.

RunnerError               exit code 1
├── UsageError            2  a value on the command line that can't be
├── PortTakenError        3  an address is in use
├── DataFolderError       4  a folder can't be used, or holds another installation's data
├── JarsError             5  Kafka can't be downloaded, or what came is not what the lock file says
├── AlreadyRunningError   6  another `up` has this data folder
├── BrokerError           7  the broker does not start, or the given one does not answer
├── TopicMismatchError    8  a topic exists in another shape
└── NotReadyError         9  a service does not become ready
"""


class RunnerError(Exception):
    """An error to be shown as its message alone; the process ends with `exit_code`."""

    exit_code = 1


class UsageError(RunnerError):
    exit_code = 2


class PortTakenError(RunnerError):
    exit_code = 3


class DataFolderError(RunnerError):
    exit_code = 4


class JarsError(RunnerError):
    exit_code = 5


class AlreadyRunningError(RunnerError):
    exit_code = 6


class BrokerError(RunnerError):
    exit_code = 7


class TopicMismatchError(RunnerError):
    exit_code = 8


class NotReadyError(RunnerError):
    exit_code = 9
