#!/usr/bin/env python3
"""The check of the demo with a bucket: a block travels from a Prometheus to the bucket, is merged, and leaves."""
import sys

import demo

sys.argv[1:] = ["--check", "--bucket"]
sys.exit(demo.main())
