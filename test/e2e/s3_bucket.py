"""What test/s3 has, for scripts: the server `radosgw`, and `S3`, a client of one of its buckets."""
import sys

from topology import ROOT

sys.path.insert(0, str(ROOT / "test" / "s3"))
import radosgw  # noqa: E402
from s3_client import S3  # noqa: E402

__all__ = ["S3", "radosgw"]
