"""What the two programs say of themselves."""

import pytest
from click.testing import CliRunner

from beforehand.inbox.__main__ import main as inbox
from beforehand.phone.__main__ import main as phone


@pytest.mark.parametrize("program", [inbox, phone], ids=["inbox", "phone"])
def test_help_has_each_request_on_a_line_of_its_own(program):
    lines = CliRunner().invoke(program, ["--help"]).output.splitlines()
    starts = [line.split()[0] for line in lines if line.strip().startswith(("GET", "DELETE", "POST"))]
    assert starts == ["GET", "GET", "DELETE", "POST"]
    assert not any("\\b" in line for line in lines)
