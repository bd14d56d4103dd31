import subprocess
import sys


def test_what_reads_certificates_is_not_imported_before_it_is_needed() -> None:
    program = "import sys, edgeworker.server; print('cryptography.x509' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
